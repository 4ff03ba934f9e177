//! Unpacks gzip as a stream, with any number of members, as strictly as node:zlib does with what `codec/gunzip.ts` adds to it.

use zlib_rs::{Inflate, InflateFlush, Status};

/// Window bits of zlib for gzip: 15, and 16 for the wrapper.
const GZIP: u8 = 16 + 15;

/// What one call has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input that were used.
    pub read: usize,
    /// Bytes that were unpacked.
    pub written: usize,
    /// Where the stream stands.
    pub place: Place,
}

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Within a member, or before the first: the stream must not end here.
    Inside,
    /// Behind a member: the stream may end here.
    Between,
    /// Behind a member, before a byte of zero: what follows is no member.
    Stray,
}

/// Why a stream is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The stream is damaged; these are zlib's words.
    Damaged(&'static str),
    /// Memory is short.
    Memory,
}

/// The state of one stream.
pub struct Gunzip {
    member: Inflate,
    place: Place,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self { member: Inflate::new(true, GZIP), place: Place::Inside }
    }
}

impl Gunzip {
    /// Returns where the stream stands.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Unpacks until the input is used up, the room is full, or a stray byte comes. Where the room is full more may be waiting, even
    /// without input.
    pub fn push(&mut self, input: &[u8], room: &mut [u8]) -> Result<Progress, Refusal> {
        let (mut read, mut written) = (0, 0);
        loop {
            match (self.place, input.get(read)) {
                (Place::Stray, _) | (Place::Between, None) => break,
                (Place::Between, Some(0)) => {
                    self.place = Place::Stray;
                    break;
                }
                (Place::Between, Some(_)) => {
                    self.member = Inflate::new(true, GZIP);
                    self.place = Place::Inside;
                }
                (Place::Inside, _) => {}
            }
            let (before_in, before_out) = (self.member.total_in(), self.member.total_out());
            let result = self.member.decompress(&input[read..], &mut room[written..], InflateFlush::NoFlush);
            let used = (self.member.total_in() - before_in) as usize;
            let made = (self.member.total_out() - before_out) as usize;
            read += used;
            written += made;
            match result {
                Ok(Status::StreamEnd) => self.place = Place::Between,
                Ok(Status::Ok | Status::BufError) => {
                    if read == input.len() || written == room.len() || (used == 0 && made == 0) {
                        break;
                    }
                }
                Err(zlib_rs::InflateError::MemError) => return Err(Refusal::Memory),
                Err(error) => {
                    return Err(Refusal::Damaged(self.member.error_message().unwrap_or(error.as_str())));
                }
            }
        }
        Ok(Progress { read, written, place: self.place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::member;

    /// Unpacks in pieces of input and room; returns the bytes and where the stream stands at the end of the input.
    fn unpack(packed: &[u8], piece: usize, room: usize) -> Result<(Vec<u8>, Place), Refusal> {
        let (mut gunzip, mut unpacked, mut place) = (Gunzip::default(), Vec::new(), Place::Inside);
        for input in packed.chunks(piece) {
            let mut at = 0;
            loop {
                let mut memory = vec![0; room];
                let progress = gunzip.push(&input[at..], &mut memory)?;
                at += progress.read;
                place = progress.place;
                unpacked.extend(&memory[..progress.written]);
                if progress.written == 0 && (at == input.len() || place == Place::Stray) {
                    break;
                }
            }
        }
        Ok((unpacked, place))
    }

    #[test]
    fn any_number_of_members_unpacks_in_any_pieces() {
        let bodies: [&[u8]; 5] = [b"one ", b"", &[b'x'; 70_000], b"", b"two"];
        let packed: Vec<u8> = bodies.iter().flat_map(|body| member(body)).collect();
        for (piece, room) in [(1, 1), (1, 300), (7, 64), (1000, 262_144), (packed.len(), 5)] {
            assert_eq!(unpack(&packed, piece, room), Ok((bodies.concat(), Place::Between)));
        }
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_is_not_at_its_end() {
        let packed = [member(b"some words, some words"), member(b"more")].concat();
        let first = member(b"some words, some words").len();
        for size in 0..packed.len() {
            let (_, place) = unpack(&packed[..size], 3, 10).unwrap();
            assert_eq!(place == Place::Between, size == first, "{size} bytes");
        }
    }

    #[test]
    fn zeros_behind_a_member_are_stray_and_other_bytes_are_no_header() {
        for count in [1, 8, 512] {
            let zeros = [member(b"body"), vec![0; count], member(b"body")].concat();
            assert_eq!(unpack(&zeros, 4, 100), Ok((b"body".to_vec(), Place::Stray)));
        }
        let other = [member(b"body"), b"AB".to_vec()].concat();
        assert_eq!(unpack(&other, 100, 100), Err(Refusal::Damaged("incorrect header check")));
    }

    #[test]
    fn checksum_and_length_are_held() {
        for (from_end, words) in [(8, "incorrect data check"), (4, "incorrect length check")] {
            let mut packed = member(b"the body");
            let at = packed.len() - from_end;
            packed[at] ^= 1;
            assert_eq!(unpack(&packed, 1, 100), Err(Refusal::Damaged(words)));
        }
    }
}
