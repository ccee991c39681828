//! The first private key in a text, as OpenSSL and Snowflake's own tools find it: whatever stands before and behind it,
//! certificates among them, and with whatever blanks editors leave at the ends of lines.

use pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

use super::key_fault::KeyFault;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// A key's bytes, and what kind they are.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Reads the first private key; where there is none, says what else there is.
pub(super) fn private_key(text: &str) -> Result<Block, KeyFault> {
    let text = without_blanks(text);
    let blocks: Vec<(&str, &str)> = blocks(&text).collect();
    let Some((label, block)) = blocks.iter().find(|(label, _)| label.ends_with("PRIVATE KEY")) else {
        return Err(match blocks.first() {
            Some(("CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE", _)) => KeyFault::Certificate,
            Some((label, _)) if label.ends_with("PUBLIC KEY") => KeyFault::Public,
            _ => KeyFault::NoPem,
        });
    };
    match *label {
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => (),
        // Its encryption stands in lines of its own, which the older form has and PKCS#8 has not.
        "RSA PRIVATE KEY" if block.contains("\nDEK-Info:") => return Err(KeyFault::EncryptedPkcs1),
        "RSA PRIVATE KEY" => return Err(KeyFault::Pkcs1),
        "EC PRIVATE KEY" => return Err(KeyFault::Curve),
        "OPENSSH PRIVATE KEY" => return Err(KeyFault::OpenSsh),
        _ => return Err(KeyFault::NotRsa),
    }
    let mut decoder = Decoder::new_detect_wrap(block.as_bytes()).map_err(|_| KeyFault::Damaged)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut bytes).map_err(|_| KeyFault::Damaged)?;
    Ok(Block {
        label: (*label).to_owned(),
        bytes,
    })
}

/// Every block, from its first line to its last, or to the end of the text where there is no last line.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(BEGIN).filter_map(|(at, _)| {
        let (label, _) = text[at + BEGIN.len()..].split_once(DASHES)?;
        let end = format!("-----END {label}-----");
        let length = text[at..].find(&end).map(|found| found + end.len());
        Some((label, &text[at..length.map_or(text.len(), |length| at + length)]))
    })
}

/// The same lines, each without what is blank at its ends.
fn without_blanks(text: &str) -> Zeroizing<String> {
    // As much room as there can be need of: growing would leave copies behind.
    let mut lines = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in text.lines() {
        lines.push_str(line.trim());
        lines.push('\n');
    }
    lines
}

/// Whether this text, which was read before, needs a passphrase.
pub(super) fn is_encrypted(text: &str) -> bool {
    text.strip_prefix(BEGIN)
        .is_some_and(|rest| rest.starts_with("ENCRYPTED PRIVATE KEY"))
}
