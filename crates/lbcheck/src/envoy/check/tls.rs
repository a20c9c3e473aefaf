//! Certificates and keys that stand in the configuration itself.

use super::super::tree::Value;
use super::Check;

impl<'t> Check<'_, 't> {
    /// A server needs a certificate, from somewhere.
    pub(super) fn downstream_tls(&mut self, context: Value<'t>) {
        let common = context.get("common_tls_context");
        let sources = [
            "tls_certificates",
            "tls_certificate_sds_secret_configs",
            "tls_certificate_provider_instance",
            "tls_certificate_certificate_provider",
            "tls_certificate_certificate_provider_instance",
            "custom_tls_certificate_selector",
        ];
        let written = |name: &&str| common.is_some_and(|common| common.list(name).next().is_some());
        if !sources.iter().any(written) {
            let message = "a listener with TLS has no certificate";
            let help = "add `tls_certificates` or `tls_certificate_sds_secret_configs`";
            let span = common.map_or(context.span_of("@type"), |common| common.span());
            self.refuse(span, message.into(), help);
        }
    }

    /// What a TLS context holds itself. A secret of its own is only looked at when something asks for it.
    pub(super) fn common_tls(&mut self, context: Value<'t>) {
        for certificate in context.list("tls_certificates") {
            self.certificate(certificate);
        }
        let combined = ["combined_validation_context", "default_validation_context"];
        for validation in [context.get("validation_context"), context.path(&combined)].into_iter().flatten() {
            self.validation(validation);
        }
    }

    fn certificate(&mut self, certificate: Value<'t>) {
        let chain = certificate.get("certificate_chain");
        let key = certificate.get("private_key");
        if let Some(chain) = chain {
            self.pem(chain, &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"], "certificate");
            let held =
                certificate.get("private_key_provider").is_some() || certificate.get("pkcs12").is_some();
            if key.is_none() && !held {
                let message = "a certificate without `private_key` cannot be used";
                self.refuse(chain.span(), message.into(), "add `private_key`");
            }
        }
        if let Some(key) = key {
            let kinds = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];
            self.pem(key, &kinds, "private key");
        }
    }

    fn validation(&mut self, context: Value<'t>) {
        if let Some(authority) = context.get("trusted_ca") {
            let kinds = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];
            self.pem(authority, &kinds, "certificate");
        }
    }

    /// A text that stands in the configuration and must be PEM. What is in it beyond its form is not looked at.
    fn pem(&mut self, source: Value<'t>, kinds: &[&str], what: &str) {
        let Some(text) = source.get("inline_string") else { return };
        let Some(written) = text.string().filter(|written| !written.contains(['$', '{'])) else { return };
        if !has_block(written, kinds) {
            let message = format!("this is not a {what} in PEM form: Envoy cannot load it");
            self.refuse(text.span(), message, "it begins with `-----BEGIN` and is base64 in between");
        }
    }
}

/// Whether there is a block of one of these kinds, and what it holds is base64 of one DER value.
fn has_block(text: &str, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| {
        let (begin, end) = (format!("-----BEGIN {kind}-----"), format!("-----END {kind}-----"));
        let inside = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
        // An encrypted key begins with headers.
        inside.is_some_and(|(body, _)| body.trim_start().starts_with("Proc-Type:") || is_der(body))
    })
}

/// Whether base64 with blanks in it holds one DER sequence, whole.
fn is_der(body: &str) -> bool {
    let letters: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = letters.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = letters.get(..letters.len() - padding).unwrap_or_default();
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/';
    if !letters.len().is_multiple_of(4) || padding > 2 || !digits.iter().all(alphabet) {
        return false;
    }
    let size = digits.len() * 6 / 8;
    let head: Vec<u8> = digits.chunks(4).take(2).flat_map(decode).collect();
    let length = match head.as_slice() {
        [0x30, short, ..] if *short < 0x80 => 2 + usize::from(*short),
        [0x30, 0x81, length, ..] => 3 + usize::from(*length),
        [0x30, 0x82, high, low, ..] => 4 + usize::from(*high) * 256 + usize::from(*low),
        _ => return false,
    };
    length == size
}

/// The bytes of up to four base64 letters.
fn decode(letters: &[u8]) -> Vec<u8> {
    let value = |letter: &u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits = letters.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(value(letter)));
    let missing = 4_usize.saturating_sub(letters.len());
    let bytes = (bits << (6 * missing)).to_be_bytes();
    bytes.get(1..4_usize.saturating_sub(missing)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_whole() {
        // A sequence of one integer.
        assert!(is_der("MAMCAQE="));
        assert!(is_der("MAMC\n  AQE=\n"));
        for bad in ["MAMCAQ==", "MAMCAE", "MAMC!QE=", "", "AAMCAQE=", "MAMCAQEA"] {
            assert!(!is_der(bad), "{bad}");
        }
    }
}
