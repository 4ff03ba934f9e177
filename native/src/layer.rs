//! Unpacks a gzip layer into rooms of the caller and hashes what comes out, while it is in the processor's cache.

use crate::inflate::{Gunzip, Place};
use crate::member::Refusal;
use sha2::{Digest, Sha256, Sha512};

/// Bytes that are unpacked before they are hashed.
const SLICE: usize = 256 * 1024;

/// A running hash of all unpacked bytes.
pub enum Hash {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hash {
    /// Begins a hash by its name; none for other names.
    pub fn new(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256(Sha256::new())),
            "sha512" => Some(Self::Sha512(Sha512::new())),
            _ => None,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// Returns the digest of all bytes so far, in lower-case hexadecimal digits.
    pub fn digest(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sha256(hash) => hex(&hash.clone().finalize()),
            Self::Sha512(hash) => hex(&hash.clone().finalize()),
        }
    }
}

/// What one call has done.
#[derive(Debug, PartialEq, Eq)]
pub struct Filled {
    /// Bytes of the input that were used.
    pub read: usize,
    /// Bytes of the room that were filled.
    pub written: usize,
    /// Whether bytes for the next room are waiting: this one is not the last.
    pub more: bool,
    /// Where the stream stands.
    pub place: Place,
}

/// The state of one layer.
pub struct Layer {
    gunzip: Gunzip,
    /// The hash of all unpacked bytes.
    pub hash: Hash,
    /// The first bytes of the next room.
    behind: [u8; 64],
    waiting: usize,
}

impl Layer {
    /// Begins a layer.
    pub fn new(hash: Hash) -> Self {
        Self { gunzip: Gunzip::default(), hash, behind: [0; 64], waiting: 0 }
    }

    /// Fills the room as far as the input goes. Behind a full room it unpacks some bytes more, to see whether there are any.
    pub fn fill(&mut self, input: &[u8], room: &mut [u8]) -> Result<Filled, Refusal> {
        let mut written = self.waiting.min(room.len());
        room[..written].copy_from_slice(&self.behind[..written]);
        self.behind.copy_within(written..self.waiting, 0);
        self.waiting -= written;
        let mut read = 0;
        let mut place = self.gunzip.place();
        while written < room.len() {
            let end = room.len().min(written + SLICE);
            let progress = self.gunzip.push(&input[read..], &mut room[written..end])?;
            self.hash.update(&room[written..written + progress.written]);
            read += progress.read;
            written += progress.written;
            place = progress.place;
            if progress.written == 0 {
                return Ok(Filled { read, written, more: false, place });
            }
        }
        if self.waiting == 0 {
            let progress = self.gunzip.push(&input[read..], &mut self.behind)?;
            self.hash.update(&self.behind[..progress.written]);
            read += progress.read;
            self.waiting = progress.written;
            place = progress.place;
        }
        Ok(Filled { read, written, more: self.waiting > 0, place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::member;

    #[test]
    fn rooms_are_full_but_the_last_and_all_is_hashed() {
        let body: Vec<u8> = (0..600_000u32).map(|i| (i.wrapping_mul(i) >> 9) as u8).collect();
        let packed = [member(&body[..70_000]), member(b""), member(&body[70_000..])].concat();
        for (piece, size) in [(1, 1000), (100, 64), (5000, 300_000), (packed.len(), 600_000), (9, 599_999)] {
            let mut layer = Layer::new(Hash::new("sha256").unwrap());
            let mut inputs = packed.chunks(piece);
            let (mut input, mut unpacked): (&[u8], Vec<u8>) = (&[], Vec::new());
            loop {
                let mut room = vec![0; size];
                let mut filled = 0;
                let last = loop {
                    let found = layer.fill(input, &mut room[filled..]).unwrap();
                    input = &input[found.read..];
                    filled += found.written;
                    if found.more {
                        assert_eq!(filled, size);
                        break false;
                    }
                    if input.is_empty() {
                        match inputs.next() {
                            Some(next) => input = next,
                            None => {
                                assert_eq!(found.place, Place::Between);
                                break true;
                            }
                        }
                    }
                };
                unpacked.extend(&room[..filled]);
                if last {
                    break;
                }
            }
            assert!(unpacked == body);
            let expected = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert_eq!(layer.hash.digest(), expected);
        }
    }

    #[test]
    fn hashes_have_names() {
        let digest = |name| Hash::new(name).map(|hash| hash.digest().len());
        assert_eq!((digest("sha256"), digest("sha512"), digest("md5")), (Some(64), Some(128), None));
    }
}
