//! Why two ends find no agreement, in words, and what can be done about it.

use std::fmt;
use std::io::{self, ErrorKind};

use rustls::{AlertDescription, CertificateError, Error as Tls, InvalidMessage};

use crate::Error;

/// The stream has ended, and nobody has said goodbye.
pub(super) const CUT_OFF: &str = "cut off: the stream ended without close_notify";

/// An error of TLS, which its words and its hint are made of.
#[derive(Debug)]
struct Refusal(Tls);

pub(super) fn refused(error: Tls) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, Refusal(error))
}

/// As [`refused`], of a peer that has spoken TLS so far.
pub(super) fn refused_meanwhile(error: Tls) -> io::Error {
    match is_plain(&error) {
        true => io::Error::new(ErrorKind::InvalidData, "what came is no TLS any more"),
        false => refused(error),
    }
}

/// Whether this is what readable bytes look like.
pub(super) fn is_plain(error: &Tls) -> bool {
    matches!(error, Tls::InvalidMessage(InvalidMessage::InvalidContentType))
}

/// As [`Error::failed`], with a hint where one is known.
pub fn failed(attempted: impl fmt::Display) -> impl FnOnce(io::Error) -> Error {
    let attempted = attempted.to_string();
    move |source| Error::Failed { attempted, hint: hint(&source), source }
}

/// What can be done about an error of this module.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    use AlertDescription as Alert;
    use CertificateError as Wrong;

    if error.kind() == ErrorKind::UnexpectedEof {
        return Some("the other end may have been killed, or somebody on the way cuts connections");
    }
    if error.kind() == ErrorKind::PermissionDenied && error.get_ref().is_some() {
        return Some("names, their secrets and their rights are in a file of the server's");
    }
    let Refusal(refusal) = error.get_ref()?.downcast_ref()?;
    Some(match refusal {
        Tls::InvalidCertificate(wrong) => match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } => {
                "have a new one made; and see whether the clock of this machine is right"
            }
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "see whether the clock of this machine is right"
            }
            Wrong::UnknownIssuer | Wrong::BadSignature => {
                "--certs takes the folder that the server has, or one with its authority.pem"
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                "--host has to be a name or an address that the certificate is for"
            }
            Wrong::ApplicationVerificationFailure => {
                "--fingerprint takes what this server printed at its start"
            }
            _ => "the other end needs another certificate",
        },
        Tls::AlertReceived(Alert::CertificateRequired | Alert::HandshakeFailure) => {
            "--certs DIR --as NAME shows a certificate"
        }
        Tls::AlertReceived(Alert::CertificateExpired) => "have a new certificate made",
        Tls::AlertReceived(Alert::UnknownCA | Alert::DecryptError) => {
            "--certs takes the folder that the server has, or one with a certificate of its authority"
        }
        Tls::InvalidMessage(_) => "the other end may not speak TLS; try without, or another port",
        _ => return None,
    })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use AlertDescription as Alert;
        use CertificateError as Wrong;

        let words = match &self.0 {
            Tls::InvalidCertificate(wrong) => match wrong {
                Wrong::Expired | Wrong::ExpiredContext { .. } => "its certificate has expired",
                Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                    "its certificate is not valid yet"
                }
                Wrong::UnknownIssuer | Wrong::BadSignature => {
                    "its certificate is of an authority that is not ours"
                }
                Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                    "its certificate is for another name"
                }
                Wrong::ApplicationVerificationFailure => "its certificate has another fingerprint",
                Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => {
                    "its certificate is for another purpose"
                }
                other => return write!(f, "its certificate is wrong: {other}"),
            },
            Tls::NoCertificatesPresented => "it shows no certificate",
            Tls::AlertReceived(Alert::CertificateRequired) => {
                "refused by the other end: it wants a certificate"
            }
            Tls::AlertReceived(Alert::CertificateExpired) => {
                "refused by the other end: our certificate has expired"
            }
            Tls::AlertReceived(Alert::UnknownCA | Alert::DecryptError) => {
                "refused by the other end: it does not know who signed our certificate"
            }
            Tls::AlertReceived(Alert::BadCertificate | Alert::CertificateUnknown) => {
                "refused by the other end: our certificate will not do"
            }
            Tls::AlertReceived(other) => return write!(f, "refused by the other end: {other:?}"),
            Tls::PeerIncompatible(_) => "there is no version or cipher of TLS that both ends have",
            Tls::InvalidMessage(InvalidMessage::InvalidContentType) => "it does not speak TLS",
            other => return write!(f, "{other}"),
        };
        f.write_str(words)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_do_something_about_has_a_hint() {
        let wrong = [CertificateError::Expired, CertificateError::NotValidYet]
            .into_iter()
            .chain([CertificateError::UnknownIssuer, CertificateError::NotValidForName]);
        for wrong in wrong {
            let error = failed("agree")(refused(wrong.clone().into()));
            assert!(error.to_string().starts_with("cannot agree: its certificate "), "{wrong:?}");
            assert!(error.hint().is_some(), "{wrong:?}");
        }
        let plain = refused(Tls::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_eq!(plain.to_string(), "it does not speak TLS");
        assert_eq!(hint(&io::Error::other("something else")), None);
    }
}
