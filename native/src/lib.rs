//! The native engine of ocislim: packs and unpacks gzip faster than WebAssembly and node:zlib, with the same bytes and the same
//! verdicts. `src/codec/native.ts` loads it, in worker threads too.

mod deflate;
mod inflate;

use deflate::{Compressor, room_for};
use inflate::{Gunzip, Place, Refusal};
use libdeflater::Crc;
use napi::bindgen_prelude::{AsyncTask, Uint8Array, Uint8ArraySlice};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// Packs pieces of raw deflate streams on Node's thread pool, several at once.
#[napi]
pub struct Deflater {
    spare: Arc<Mutex<Vec<Compressor>>>,
}

#[napi]
impl Deflater {
    /// Makes a packer.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { spare: Arc::default() }
    }

    /// Returns how many bytes of room a piece of so many bytes needs at most.
    #[napi(catch_unwind)]
    pub fn room(size: u32) -> u32 {
        u32::try_from(room_for(size as usize)).unwrap_or(u32::MAX)
    }

    /// Packs a piece into `room`; another piece can follow it unless it is the last. Both must be left alone until the promise settles.
    #[napi(catch_unwind, ts_return_type = "Promise<Packed>")]
    pub fn deflate(
        &self,
        level: i32,
        bytes: Uint8Array,
        room: Uint8Array,
        last: bool,
    ) -> Result<AsyncTask<DeflateTask>> {
        if overlap(&bytes, &room) {
            return Err(invalid(OVERLAP.into()));
        }
        Ok(AsyncTask::new(DeflateTask { spare: Arc::clone(&self.spare), level, bytes, room, last }))
    }
}

/// One piece that is being packed. It keeps the memory of both arrays alive.
pub struct DeflateTask {
    spare: Arc<Mutex<Vec<Compressor>>>,
    level: i32,
    bytes: Uint8Array,
    room: Uint8Array,
    last: bool,
}

impl DeflateTask {
    fn pack(&mut self) -> Result<Packed> {
        let mut compressor = self.compressor()?;
        // SAFETY: the ranges are apart, and the caller's protocol gives the memory to this task until it ends: a block in shared
        // memory has one owner at a time (`BlockMemory` in src/codec/block.ts).
        let room = unsafe { self.room.as_mut() };
        let size = compressor.deflate(&self.bytes, room, self.last);
        spare_of(&self.spare).push(compressor);
        let size = size.ok_or_else(|| invalid("the room is too small".into()))?;
        let mut crc = Crc::new();
        crc.update(&self.bytes);
        Ok(Packed { size: size as u32, crc: crc.sum() })
    }

    /// Takes a spare compressor of the level, or makes one. Those of other levels are freed: they hold megabytes.
    fn compressor(&self) -> Result<Compressor> {
        let found = {
            let mut spare = spare_of(&self.spare);
            spare.retain(|each| each.level() == self.level);
            spare.pop()
        };
        found
            .or_else(|| Compressor::new(self.level))
            .ok_or_else(|| invalid(format!("no packer for level {}", self.level)))
    }
}

fn spare_of(spare: &Mutex<Vec<Compressor>>) -> MutexGuard<'_, Vec<Compressor>> {
    // No code panics while it holds the lock.
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Task for DeflateTask {
    type Output = Packed;
    type JsValue = Packed;

    fn compute(&mut self) -> Result<Packed> {
        catch_unwind(AssertUnwindSafe(|| self.pack())).unwrap_or_else(|_| Err(Error::from_reason("a panic")))
    }

    fn resolve(&mut self, _: Env, packed: Packed) -> Result<Packed> {
        Ok(packed)
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
        if overlap(input, &room) {
            return Err(Error::new("InvalidArg", OVERLAP.to_string()));
        }
        // SAFETY: the ranges are apart, and no other code of this thread runs until the call returns; the same protocol as above.
        let room = unsafe { room.as_mut() };
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

/// Returns whether two ranges of memory have a byte in common.
fn overlap(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (one.as_ptr_range(), other.as_ptr_range());
    !one.is_empty() && !other.is_empty() && one.start < other.end && other.start < one.end
}

fn invalid(words: String) -> Error {
    Error::new(Status::InvalidArg, words)
}
