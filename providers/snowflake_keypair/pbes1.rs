//! PBES1 of PKCS#12: SHA-1 and triple DES, which `openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES` writes, and which many older tools
//! write without being asked. Only read, never written.
//!
//! RFC 7292, appendix B for the key, appendix C for the algorithms: <https://www.rfc-editor.org/rfc/rfc7292>.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use pkcs8::der::asn1::{ObjectIdentifier, OctetStringRef};
use pkcs8::der::{self, Decode, Reader, SliceReader};
use pkcs8::spki::AlgorithmIdentifierRef;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// `pbeWithSHAAnd3-KeyTripleDES-CBC`, the one of its kind that Snowflake's own tools read.
const THREE_KEYS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");

/// What the hash takes at once, and what it gives.
const BLOCK: usize = 64;
const DIGEST: usize = 20;

/// What each derived text is for.
const FOR_KEY: u8 = 1;
const FOR_START: u8 = 2;

/// A file can ask for any number of rounds; tools take 2,048, and some a million.
const MOST_ROUNDS: u32 = 10_000_000;

/// A key under this encryption, as it stands in a file.
pub(super) struct Sealed<'a> {
    salt: &'a [u8],
    rounds: u32,
    data: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Reads it; `None` where it is under another encryption, or none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(bytes).ok()?;
        let (algorithm, data) = reader
            .sequence(|inner| {
                let algorithm = AlgorithmIdentifierRef::decode(inner)?;
                Ok::<_, der::Error>((algorithm, <&OctetStringRef>::decode(inner)?))
            })
            .ok()?;
        if algorithm.oid != THREE_KEYS {
            return None;
        }
        let (salt, rounds) = algorithm
            .parameters?
            .sequence(|inner| Ok::<_, der::Error>((<&OctetStringRef>::decode(inner)?, u32::decode(inner)?)))
            .ok()?;
        (1..=MOST_ROUNDS).contains(&rounds).then_some(Self {
            salt: salt.as_bytes(),
            rounds,
            data: data.as_bytes(),
        })
    }

    /// What it is without its encryption; `None` where the passphrase does not open it.
    pub(super) fn open(&self, passphrase: &Secret) -> Option<Zeroizing<Vec<u8>>> {
        let passphrase = password(passphrase.expose_text()?);
        let derived = |purpose, length| derive(&passphrase, self.salt, self.rounds, purpose, length);
        let (key, start) = (derived(FOR_KEY, 24), derived(FOR_START, 8));
        let cipher = Decryptor::<TdesEde3>::new_from_slices(&key, &start).ok()?;
        let mut text = Zeroizing::new(self.data.to_vec());
        let length = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// B.1: two bytes for each letter, the higher one first, and two zeros behind them.
fn password(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
    for unit in text.encode_utf16().chain([0]) {
        bytes.extend(unit.to_be_bytes());
    }
    bytes
}

/// B.2, with its names: D, S, P and I; A and B.
fn derive(password: &[u8], salt: &[u8], rounds: u32, purpose: u8, length: usize) -> Zeroizing<Vec<u8>> {
    let mut input = Zeroizing::new(filled(salt));
    let password = Zeroizing::new(filled(password));
    input.extend_from_slice(&password);
    let mut derived = Zeroizing::new(Vec::with_capacity(length + DIGEST));
    while derived.len() < length {
        let first = Sha1::new().chain_update([purpose; BLOCK]).chain_update(&*input);
        let mut block = Zeroizing::new(<[u8; DIGEST]>::from(first.finalize()));
        for _ in 1..rounds {
            *block = Sha1::digest(block.as_slice()).into();
        }
        derived.extend_from_slice(block.as_slice());
        for chunk in input.chunks_mut(BLOCK) {
            add_with_one(chunk, &block);
        }
    }
    derived.truncate(length);
    derived
}

/// As often as it takes to fill whole blocks.
fn filled(text: &[u8]) -> Vec<u8> {
    text.iter()
        .copied()
        .cycle()
        .take(text.len().div_ceil(BLOCK) * BLOCK)
        .collect()
}

/// The number in `chunk`, plus the one that `block` makes when it is repeated, plus one; what runs over is dropped.
fn add_with_one(chunk: &mut [u8], block: &[u8; DIGEST]) {
    let mut carry = 1;
    for (at, byte) in chunk.iter_mut().enumerate().rev() {
        let sum = u16::from(*byte) + u16::from(block[at % DIGEST]) + carry;
        // The lower eight bits.
        *byte = sum.to_be_bytes()[1];
        carry = sum >> 8;
    }
}
