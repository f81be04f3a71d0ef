//! A value as the content of a response.

use std::io;

use serde::Serialize;

use super::response::{IntoResponse, Response};

/// 200 with a value as JSON, or another status in front of it. A value that JSON has no
/// form for, such as a map whose keys are no text, is a 500, and the log says why.
///
/// ```
/// use httpcore::Status;
/// use httpcore::reply::{IntoResponse, Json};
///
/// let response = Json(["a", "b"]).into_response();
/// let created = (Status::CREATED, Json(["a", "b"])).into_response();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(
    /// The value.
    pub T,
);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(json) => Response::json(json),
            Err(error) => io::Error::other(error).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::status::Status;

    #[test]
    fn a_value_without_a_form_in_json_is_a_500() {
        assert_eq!(Json(BTreeMap::from([(1, 2)])).into_response().status(), Status::OK);
        let no_text = BTreeMap::from([([1, 2], 3)]);
        assert_eq!(Json(no_text).into_response().status(), Status::INTERNAL_SERVER_ERROR);
    }
}
