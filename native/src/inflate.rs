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
