//! Which handler answers: routes by method and pattern first, then what is mounted at
//! the longest prefix.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use super::request::Request;
use crate::head::Method;
use crate::head::target::Path;
use crate::refusal::Refusal;
use crate::reply::{IntoResponse, Response, other_method};

/// Answers requests. Closures that take `&mut Request` and return something that can
/// become a response are handlers.
pub trait Handler: Send + Sync {
    /// Makes the response; it is sent when this returns.
    fn respond(&self, request: &mut Request<'_>) -> Response;

    /// The response, where it can be had without any wait and without the body: a server that
    /// waits for many clients in one thread asks for it there, before it has a worker
    /// [respond](Handler::respond).
    fn at_once(&self, _: &mut Request<'_>) -> Option<Response> {
        None
    }
}

impl<F, R> Handler for F
where
    F: Fn(&mut Request<'_>) -> R + Send + Sync,
    R: IntoResponse,
{
    fn respond(&self, request: &mut Request<'_>) -> Response {
        self(request).into_response()
    }
}

/// A handler that waits for nothing, neither a file nor a lock nor the body: a server that
/// waits for many clients in one thread asks it there, and needs no worker.
///
/// ```
/// use httpcore::handler::{AtOnce, Handler, Request};
///
/// let health: Box<dyn Handler> = Box::new(AtOnce(|_: &mut Request<'_>| "ok\n"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AtOnce<F>(pub F);

impl<F: Handler> Handler for AtOnce<F> {
    fn respond(&self, request: &mut Request<'_>) -> Response {
        self.0.respond(request)
    }

    fn at_once(&self, request: &mut Request<'_>) -> Option<Response> {
        Some(self.0.respond(request))
    }
}

impl Handler for Box<dyn Handler> {
    fn respond(&self, request: &mut Request<'_>) -> Response {
        (**self).respond(request)
    }

    fn at_once(&self, request: &mut Request<'_>) -> Option<Response> {
        (**self).at_once(request)
    }
}

/// The routes of a server.
#[derive(Default)]
pub struct Router {
    routes: Vec<Route>,
    mounts: Vec<Mount>,
    /// The first pattern that says nothing, and why.
    wrong: Option<String>,
}

struct Route {
    method: Method,
    pattern: Vec<Part>,
    handler: Box<dyn Handler>,
}

struct Mount {
    prefix: Vec<String>,
    handler: Box<dyn Handler>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Name(String),
    /// `{name}`: any one name.
    Any(String),
    /// `{name..}` at the end: all names that are left, none too.
    Rest(String),
}

impl Router {
    /// Adds a route. The first that matches answers.
    pub fn add(&mut self, method: Method, pattern: &str, handler: impl Handler + 'static) {
        match parse_pattern(pattern) {
            Ok(pattern) => self.routes.push(Route { method, pattern, handler: Box::new(handler) }),
            Err(why) => {
                self.wrong.get_or_insert(format!("{pattern}: {why}"));
            }
        }
    }

    /// Whether every pattern makes sense. Routes are added one behind the other; the
    /// mistake in one of them is told before the server starts.
    ///
    /// # Errors
    /// `InvalidInput` where one does not.
    pub fn check(&self) -> io::Result<()> {
        match &self.wrong {
            Some(why) => Err(io::Error::new(ErrorKind::InvalidInput, why.clone())),
            None => Ok(()),
        }
    }

    /// Adds a handler for everything below a prefix that no route matches. The longest
    /// prefix answers.
    pub fn mount(&mut self, prefix: &str, handler: impl Handler + 'static) {
        let prefix = names_of(prefix).map(str::to_string).collect();
        self.mounts.push(Mount { prefix, handler: Box::new(handler) });
        self.mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
    }

    /// Answers: HEAD as GET, OPTIONS with what is allowed, and 405 where only other
    /// methods are.
    pub fn respond(&self, request: &mut Request<'_>) -> Response {
        match self.find(request) {
            Ok(handler) => handler.respond(request),
            Err(response) => *response,
        }
    }

    /// As [`Handler::at_once`]: what needs no handler, and what the handler has at hand.
    pub fn at_once(&self, request: &mut Request<'_>) -> Option<Response> {
        match self.find(request) {
            Ok(handler) => handler.at_once(request),
            Err(response) => Some(*response),
        }
    }

    /// The handler of a request, or the response where none is asked.
    fn find(&self, request: &mut Request<'_>) -> Result<&dyn Handler, Box<Response>> {
        // The common case of a file server needs no path here.
        if let ([], [Mount { prefix, handler }]) = (self.routes.as_slice(), self.mounts.as_slice())
            && prefix.is_empty()
            && matches!(request.method(), Method::Get | Method::Head)
        {
            return Ok(&**handler);
        }
        if request.target().path == b"*" {
            return Err(self.server_wide(request.method()).into());
        }
        let path = match request.path() {
            Ok(path) => path,
            Err(refusal) => return Err(refusal.into_response().into()),
        };
        let mut allowed = Vec::new();
        for route in &self.routes {
            let Some(params) = matches(&route.pattern, path) else { continue };
            if serves(route.method, request.method()) {
                request.set_route(params, 0);
                return Ok(&*route.handler);
            }
            allowed.push(route.method);
        }
        if !allowed.is_empty() {
            return Err(other_method(request.method(), &allowed).into());
        }
        for mount in &self.mounts {
            let names = path.names.iter().map(Cow::as_ref);
            if mount.prefix.len() <= path.names.len()
                && mount.prefix.iter().map(String::as_bytes).eq(names.take(mount.prefix.len()))
            {
                request.set_route(Vec::new(), mount.prefix.len());
                return Ok(&*mount.handler);
            }
        }
        Err(Refusal::not_found().into_response().into())
    }

    /// Where a path of `*` ends: OPTIONS about the server as a whole, and CONNECT,
    /// which only a proxy takes. What is mounted may have other methods; it is
    /// taken for files.
    fn server_wide(&self, method: Method) -> Response {
        let routes = self.routes.iter().map(|route| route.method);
        let mounts = self.mounts.first().map(|_| Method::Get);
        other_method(method, &routes.chain(mounts).collect::<Vec<_>>())
    }
}

fn serves(route: Method, asked: Method) -> bool {
    route == asked || (route == Method::Get && asked == Method::Head)
}

fn parse_pattern(pattern: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    for name in names_of(pattern) {
        if matches!(parts.last(), Some(Part::Rest(_))) {
            return Err("nothing can follow what stands for all that is left");
        }
        let braced = name.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
        if braced.unwrap_or(name).contains(['{', '}']) {
            return Err("braces stand for a whole name between two slashes");
        }
        parts.push(match braced {
            Some(inner) => match inner.strip_suffix("..") {
                Some(rest) => Part::Rest(rest.into()),
                None => Part::Any(inner.into()),
            },
            None => Part::Name(name.into()),
        });
    }
    Ok(parts)
}

fn names_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// The parameters, if the path fits the pattern.
fn matches(pattern: &[Part], path: &Path) -> Option<Vec<(String, String)>> {
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let mut params = Vec::new();
    let mut names = path.names.iter();
    for part in pattern {
        match part {
            Part::Rest(key) => {
                let rest: Vec<String> = names.by_ref().map(|name| text(name)).collect();
                params.push((key.clone(), rest.join("/")));
            }
            Part::Any(key) => params.push((key.clone(), text(names.next()?))),
            Part::Name(expected) => {
                if names.next()?.as_ref() != expected.as_bytes() {
                    return None;
                }
            }
        }
    }
    names.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
        matches(&parse_pattern(pattern).unwrap(), &Path::parse(path.as_bytes()).unwrap())
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.into(), value.into())
    }

    #[test]
    fn patterns_match_whole_paths() {
        assert_eq!(
            params("/hello/{name}", "/hello/%D0%9C%D0%B8%D1%80"),
            Some(vec![pair("name", "Мир")])
        );
        assert_eq!(params("/hello/{name}", "/hello"), None);
        assert_eq!(params("/hello/{name}", "/hello/a/b"), None);
        assert_eq!(params("/", "/"), Some(vec![]));
        assert_eq!(params("/a", "/a/"), Some(vec![]));
        assert_eq!(params("/", "/a"), None);
        assert_eq!(params("/{path..}", "/a/b"), Some(vec![pair("path", "a/b")]));
        assert_eq!(params("/{path..}", "/"), Some(vec![pair("path", "")]));
    }

    #[test]
    fn patterns_that_could_not_match_are_refused() {
        for pattern in
            ["/pre-{x}", "/{x}-post", "/{x", "/x}", "/{a}{b}", "/{rest..}/x", "/{a..}/{b..}"]
        {
            assert!(parse_pattern(pattern).is_err(), "{pattern}");
        }
    }
}
