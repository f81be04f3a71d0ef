//! Where an answer may send us. Nothing here asks anybody: what is decided is what the next
//! request may be, and whether it may carry a secret.

use url::Url;

/// A chain of redirects that is longer is a loop, or might as well be.
pub const MOST_HOPS: u32 = 5;

/// What is done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// It is read.
    Get,
    /// It is given something.
    Post,
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Where it goes.
    pub url: Url,
    /// What it does there.
    pub method: Method,
    /// Whether it carries our secret: as long as it has not left the origin that the secret
    /// is for. It does not come back into possession of it.
    pub trusted: bool,
    /// Redirects behind it.
    pub hops: u32,
}

impl Hop {
    /// A request that nobody has redirected yet.
    pub fn first(url: Url, method: Method) -> Hop {
        Hop { url, method, trusted: true, hops: 0 }
    }

    /// The same at `path`, which is below `base`: the secret is for nowhere else, and a path
    /// may come from somebody else as well.
    ///
    /// # Errors
    /// Why there is no such request, which completes "the path ".
    pub fn below(base: &Url, path: &str, method: Method) -> Result<Hop, &'static str> {
        let url = base.join(path).map_err(|_| "leads to no address")?;
        match url.origin() == base.origin() {
            true => Ok(Hop::first(url, method)),
            false => Err("leads to another origin"),
        }
    }

    /// The request that a redirect asks for
    /// ([RFC 9110 section 15.4](https://www.rfc-editor.org/rfc/rfc9110#section-15.4)).
    ///
    /// # Errors
    /// Why it is not followed, which completes "the redirect ".
    pub fn follow(&self, status: u16, location: &str) -> Result<Hop, &'static str> {
        if self.hops == MOST_HOPS {
            return Err("is one of a chain that does not end");
        }
        let mut url = self.url.join(location).map_err(|_| "leads to no address")?;
        match (self.url.scheme(), url.scheme()) {
            ("https", "http") => return Err("leads from an encrypted place to an open one"),
            (_, "http" | "https") => {}
            _ => return Err("leads out of HTTP"),
        }
        // A name and a password in an address would be a secret that somebody else chose.
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err("leads to no address");
        }
        let same_origin = url.origin() == self.url.origin();
        // 307 and 308 keep the method. The others make every request a GET, as browsers
        // have always done.
        let method = if matches!(status, 307 | 308) { self.method } else { Method::Get };
        if method == Method::Post && !same_origin {
            return Err("would take what was sent to another origin");
        }
        Ok(Hop { url, method, trusted: self.trusted && same_origin, hops: self.hops + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(url: &str, method: Method) -> Hop {
        Hop::first(Url::parse(url).unwrap(), method)
    }

    #[test]
    fn the_secret_stays_at_the_origin_that_it_is_for_and_does_not_come_back() {
        let first = hop("https://api.example/notes", Method::Get);
        let within = first.follow(302, "/other?x=1").unwrap();
        assert!(within.trusted);
        assert_eq!(within.url.as_str(), "https://api.example/other?x=1");
        // Another name, another port, and a name that only looks like ours.
        for elsewhere in
            ["//cdn.example/a", "https://api.example:8443/", "https://api.example@evil.example/"]
        {
            let left = first.follow(302, elsewhere).unwrap();
            assert!(!left.trusted, "{elsewhere}");
            assert!(left.url.username().is_empty(), "{elsewhere}");
            assert!(!left.follow(302, "https://api.example/notes").unwrap().trusted, "{elsewhere}");
        }
    }

    #[test]
    fn a_path_stays_at_the_origin_that_it_is_a_path_of() {
        let base = Url::parse("https://api.example/v1/").unwrap();
        let below = |path: &str| Hop::below(&base, path, Method::Get);
        assert_eq!(below("notes?x=1").unwrap().url.as_str(), "https://api.example/v1/notes?x=1");
        assert_eq!(below("/effects").unwrap().url.as_str(), "https://api.example/effects");
        for elsewhere in
            ["https://evil.example/", "//evil.example/", "\\\\evil.example/", "http:/x"]
        {
            assert!(below(elsewhere).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn nothing_goes_from_an_encrypted_place_to_an_open_one() {
        let first = hop("https://api.example/", Method::Get);
        assert!(first.follow(301, "http://api.example/").is_err());
        assert!(
            hop("http://api.example/", Method::Get).follow(301, "https://api.example/").is_ok()
        );
        for elsewhere in ["ftp://api.example/", "file:///etc/passwd", "http://", "javascript:0"] {
            assert!(first.follow(301, elsewhere).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn post_becomes_get_where_the_status_says_so_and_is_not_carried_elsewhere() {
        let first = hop("http://api.example/notes", Method::Post);
        for (status, method) in [
            (301, Method::Get),
            (302, Method::Get),
            (303, Method::Get),
            (307, Method::Post),
            (308, Method::Post),
        ] {
            assert_eq!(first.follow(status, "/b").unwrap().method, method, "{status}");
        }
        assert!(first.follow(307, "http://other.example/").is_err());
        assert!(!first.follow(303, "http://other.example/").unwrap().trusted);
    }

    #[test]
    fn a_loop_ends() {
        let mut hop = hop("http://api.example/", Method::Get);
        for _ in 0..MOST_HOPS {
            hop = hop.follow(302, "/").unwrap();
        }
        assert!(hop.follow(302, "/").is_err());
    }
}
