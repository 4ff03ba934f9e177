//! The native engine of ocislim: packs and unpacks gzip faster than WebAssembly and node:zlib, with the same bytes and the same
//! verdicts. `src/codec/native.ts` loads it, in worker threads too. All calls return when their work is done, and none keeps
//! memory of its caller.

mod deflate;
mod inflate;

use deflate::{Compressor, room_for};
use inflate::{Gunzip, Place, Refusal};
use libdeflater::Crc;
use napi::bindgen_prelude::Uint8ArraySlice;
use napi::{Error, Result, Status};
use napi_derive::napi;

/// The version of this interface: `src/codec/native.ts` refuses another one.
#[napi]
pub const ABI: u32 = 1;

/// The version of libdeflate, which decides about bytes.
#[napi]
pub const LIBDEFLATE: &str = "1.26";

/// A packed piece.
#[napi(object)]
pub struct Packed {
    /// Its bytes in the room.
    pub size: u32,
    /// The CRC-32 of what was packed.
    pub crc: u32,
}

/// Packs pieces of raw deflate streams, one at a time.
#[napi]
pub struct Deflater {
    compressor: Option<Compressor>,
}

#[napi]
impl Deflater {
    /// Makes a packer without a level yet.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { compressor: None }
    }

    /// Returns how many bytes of room a piece of so many bytes needs at most.
    #[napi(catch_unwind)]
    pub fn room(size: u32) -> u32 {
        u32::try_from(room_for(size as usize)).unwrap_or(u32::MAX)
    }

    /// Packs a piece into `room`; another piece can follow it unless it is the last.
    #[napi(catch_unwind)]
    pub fn deflate(
        &mut self,
        level: i32,
        bytes: &[u8],
        mut room: Uint8ArraySlice,
        last: bool,
    ) -> Result<Packed> {
        let room = writable(&mut room, bytes).ok_or_else(|| invalid(OVERLAP.into()))?;
        let compressor = match self.compressor.take() {
            Some(same) if same.level() == level => same,
            _ => Compressor::new(level).ok_or_else(|| invalid(format!("no packer for level {level}")))?,
        };
        let size = self.compressor.insert(compressor).deflate(bytes, room, last);
        let size = size.ok_or_else(|| invalid("the room is too small".into()))?;
        let mut crc = Crc::new();
        crc.update(bytes);
        Ok(Packed { size: size as u32, crc: crc.sum() })
    }
}

/// What one call of an inflater has done.
#[napi(object)]
pub struct Inflated {
    /// Bytes of the input that were used.
    pub read: u32,
    /// Bytes that were unpacked.
    pub written: u32,
    /// Where the stream stands: 0 within a member, 1 behind one, 2 behind one and before a byte of zero.
    pub place: u32,
}

/// Unpacks one gzip stream.
#[napi]
#[derive(Default)]
pub struct Inflater {
    stream: Gunzip,
}

#[napi]
impl Inflater {
    /// Begins a stream.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Unpacks until the input is used up, the room is full, or a stray byte comes.
    #[napi(catch_unwind)]
    pub fn push(&mut self, input: &[u8], mut room: Uint8ArraySlice) -> Result<Inflated, &'static str> {
        let room = writable(&mut room, input).ok_or_else(|| Error::new("InvalidArg", OVERLAP.to_string()))?;
        let progress = self.stream.push(input, room).map_err(|refusal| match refusal {
            Refusal::Damaged(words) => Error::new("Z_DATA_ERROR", words.to_string()),
            Refusal::Memory => Error::new("Z_MEM_ERROR", "insufficient memory".to_string()),
        })?;
        let place = match progress.place {
            Place::Inside => 0,
            Place::Between => 1,
            Place::Stray => 2,
        };
        Ok(Inflated { read: progress.read as u32, written: progress.written as u32, place })
    }
}

const OVERLAP: &str = "the room overlaps the input";

/// Returns the room to write to, or none where it overlaps the input.
fn writable<'a>(room: &'a mut Uint8ArraySlice, input: &[u8]) -> Option<&'a mut [u8]> {
    let (written, read) = (room.as_ptr_range(), input.as_ptr_range());
    if !room.is_empty() && !input.is_empty() && written.start < read.end && read.start < written.end {
        return None;
    }
    // SAFETY: the ranges are apart, and the caller's protocol gives the memory to this thread until the call returns: a block in
    // shared memory has one owner at a time (`BlockMemory` in src/codec/block.ts).
    Some(unsafe { room.as_mut() })
}

fn invalid(words: String) -> Error {
    Error::new(Status::InvalidArg, words)
}
