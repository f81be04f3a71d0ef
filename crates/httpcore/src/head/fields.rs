//! The header fields of a request: look-ups that do not care for case, and lists that
//! may be spread over lines.

use httparse::Header;

/// The fields of one head, in the order in which they came.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'h> {
    list: &'h [Header<'h>],
}

impl<'h> Fields<'h> {
    /// Wraps what the parser found.
    pub fn new(list: &'h [Header<'h>]) -> Fields<'h> {
        Fields { list }
    }

    /// The value of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&'h [u8]> {
        self.all(name).next()
    }

    /// The value of the field of this name, where there is one: of two, somebody else on the
    /// way may believe the other one.
    pub fn only(&self, name: &str) -> Option<&'h [u8]> {
        let mut all = self.all(name);
        all.next().filter(|_| all.next().is_none())
    }

    /// The values of every field of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.list
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    }

    /// Name and value of every field.
    pub fn iter(&self) -> impl Iterator<Item = (&'h str, &'h [u8])> {
        self.list.iter().map(|field| (field.name, field.value))
    }

    /// The members of a comma-separated list, which may be spread over several fields
    /// (RFC 9110 section 5.6.1). Not for fields whose members may hold commas, such
    /// as entity tags.
    pub fn members(&self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }

    /// How much the client wants a media type by Accept, in thousandths: by its name, or by
    /// that of its kind (`text/*`; RFC 9110 section 12.5.1). `*/*` is what programs say that
    /// have no wish, and says nothing here.
    pub fn type_weight(&self, media_type: &str) -> u16 {
        let kind = media_type.split('/').next().unwrap_or_default();
        [media_type, &format!("{kind}/*")]
            .iter()
            .find_map(|range| self.members("accept").find_map(|member| weight(member, range)))
            .unwrap_or(0)
    }

    /// How much the client wants `choice` by a field such as Accept or Accept-Encoding,
    /// in thousandths (RFC 9110 section 12.4.2): 0 where it is not named, and where
    /// it is refused.
    pub fn weight(&self, name: &str, choice: &str) -> u16 {
        self.members(name).find_map(|member| weight(member, choice)).unwrap_or(0)
    }
}

/// The weight that one member gives to `choice`, if it is about it.
fn weight(member: &[u8], choice: &str) -> Option<u16> {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    if !parts.next()?.eq_ignore_ascii_case(choice.as_bytes()) {
        return None;
    }
    let quality = parts.find_map(|part| part.strip_prefix(b"q=").or(part.strip_prefix(b"Q=")));
    let Some(quality) = quality else { return Some(1000) };
    let quality: f32 = str::from_utf8(quality).ok()?.parse().ok()?;
    Some((quality.clamp(0.0, 1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [Header<'static>; 3] = [
        Header { name: "Accept-Encoding", value: b"gzip;q=0.5, br" },
        Header { name: "HOST", value: b"localhost" },
        Header { name: "accept-encoding", value: b"zstd; q=0" },
    ];

    #[test]
    fn names_are_compared_without_case() {
        let fields = Fields::new(&LIST);
        assert_eq!(fields.get("host"), Some(b"localhost".as_slice()));
        assert_eq!(fields.get("range"), None);
        assert_eq!(fields.only("host"), Some(b"localhost".as_slice()));
        assert_eq!(fields.only("accept-encoding"), None);
        assert_eq!(fields.only("range"), None);
    }

    #[test]
    fn a_list_may_be_spread_over_several_fields() {
        let fields = Fields::new(&LIST);
        let members: Vec<&[u8]> = fields.members("Accept-Encoding").collect();
        assert_eq!(members, [b"gzip;q=0.5".as_slice(), b"br", b"zstd; q=0"]);
    }

    #[test]
    fn the_name_of_a_type_goes_before_that_of_its_kind() {
        let html = |accept: &str| {
            let list = [Header { name: "Accept", value: accept.as_bytes() }];
            Fields::new(&list).type_weight("text/html")
        };
        assert_eq!(html("text/html"), 1000);
        assert_eq!(html("TEXT/*;q=0.5"), 500);
        assert_eq!(html("text/*, text/html;q=0"), 0);
        assert_eq!(html("text/html;q=0.2, text/*"), 200);
        assert_eq!(html("*/*"), 0);
        assert_eq!(html("text/plain, image/*"), 0);
        assert_eq!(html(""), 0);
    }

    #[test]
    fn weights_are_thousandths_and_zero_refuses() {
        let fields = Fields::new(&LIST);
        assert_eq!(fields.weight("accept-encoding", "gzip"), 500);
        assert_eq!(fields.weight("accept-encoding", "br"), 1000);
        assert_eq!(fields.weight("accept-encoding", "zstd"), 0);
        assert_eq!(fields.weight("accept-encoding", "deflate"), 0);
    }
}
