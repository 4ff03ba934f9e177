//! The native engine of ocislim: packs and unpacks gzip faster than WebAssembly and node:zlib, with the same bytes and the same
//! verdicts. `src/codec/native.ts` loads it, in worker threads too.

mod deflate;
mod inflate;
mod layer;
mod member;
#[cfg(test)]
mod samples;

use deflate::{Compressor, room_for};
use inflate::{Block, Gunzip, MOST_BLOCKS, Place, Progress};
use layer::{Hash, Layer};
use libdeflater::Crc;
use member::Refusal;
use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint8Array};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The version of this interface: `src/codec/native.ts` refuses another one.
#[napi]
pub const ABI: u32 = 3;

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
        locked(&self.spare).push(compressor);
        let size = size.ok_or_else(|| invalid("the room is too small".into()))?;
        let mut crc = Crc::new();
        crc.update(&self.bytes);
        Ok(Packed { size: size as u32, crc: crc.sum() })
    }

    /// Takes a spare compressor of the level, or makes one. Those of other levels are freed: they hold megabytes.
    fn compressor(&self) -> Result<Compressor> {
        let found = {
            let mut spare = locked(&self.spare);
            spare.retain(|each| each.level() == self.level);
            spare.pop()
        };
        found
            .or_else(|| Compressor::new(self.level))
            .ok_or_else(|| invalid(format!("no packer for level {}", self.level)))
    }
}

impl Task for DeflateTask {
    type Output = Packed;
    type JsValue = Packed;

    fn compute(&mut self) -> Result<Packed> {
        contained(|| self.pack())
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
    /// Bytes of the room that were filled.
    pub written: u32,
    /// Whether the room is full and bytes for the next one are waiting.
    pub more: bool,
    /// Where the stream stands: 0 within a member, 1 behind one, 2 behind one and before a byte of zero.
    pub place: u32,
}

/// Unpacks one gzip stream on Node's thread pool, one call after another, and hashes it.
#[napi]
pub struct Inflater {
    layer: Arc<Mutex<Layer>>,
}

#[napi]
impl Inflater {
    /// Begins a stream, with a hash: sha256 or sha512.
    #[napi(constructor, catch_unwind)]
    pub fn new(hash: String) -> Result<Self> {
        let hash = Hash::new(&hash).ok_or_else(|| invalid(format!("no hash {hash}")))?;
        Ok(Self { layer: Arc::new(Mutex::new(Layer::new(hash))) })
    }

    /// Fills the room as far as the input goes. Both must be left alone until the promise settles.
    #[napi(catch_unwind, ts_return_type = "Promise<Inflated>")]
    pub fn fill(&self, input: Uint8Array, room: Uint8Array) -> Result<AsyncTask<InflateTask>> {
        if overlap(&input, &room) {
            return Err(invalid(OVERLAP.into()));
        }
        Ok(AsyncTask::new(InflateTask { layer: Arc::clone(&self.layer), input, room }))
    }

    /// Returns the digest of all unpacked bytes, in hexadecimal digits.
    #[napi(catch_unwind)]
    pub fn digest(&self) -> String {
        locked(&self.layer).hash.digest()
    }
}

/// One room that is being filled. It keeps the memory of both arrays alive.
pub struct InflateTask {
    layer: Arc<Mutex<Layer>>,
    input: Uint8Array,
    room: Uint8Array,
}

impl Task for InflateTask {
    type Output = Inflated;
    type JsValue = Inflated;

    fn compute(&mut self) -> Result<Inflated> {
        contained(|| {
            // SAFETY: as for packing.
            let room = unsafe { self.room.as_mut() };
            let filled = locked(&self.layer).fill(&self.input, room).map_err(refused)?;
            Ok(Inflated {
                read: filled.read as u32,
                written: filled.written as u32,
                more: filled.more,
                place: number_of(filled.place),
            })
        })
    }

    fn resolve(&mut self, _: Env, inflated: Inflated) -> Result<Inflated> {
        Ok(inflated)
    }
}

/// What one call of a block inflater has done.
#[napi(object, object_from_js = false)]
pub struct InflatedBlocks {
    /// Bytes of the input that were used.
    pub read: u32,
    /// Bytes of the room that were filled.
    pub written: u32,
    /// Three numbers for each block that begins: bits before it in the packed stream, bytes before it in the unpacked stream, and
    /// bytes before the member whose first block it is, or -1.
    pub blocks: Float64Array,
    /// Whether more may come without more input, since the room is full or the blocks are many.
    pub more: bool,
    /// Where the stream stands, as in `Inflated`.
    pub place: u32,
}

/// Unpacks one gzip stream on Node's thread pool, one call after another, and finds its deflate blocks.
#[napi]
pub struct BlockInflater {
    gunzip: Arc<Mutex<Gunzip>>,
}

#[napi]
impl BlockInflater {
    /// Begins a stream.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { gunzip: Arc::default() }
    }

    /// Fills the room as far as the input goes. Both must be left alone until the promise settles.
    #[napi(catch_unwind, ts_return_type = "Promise<InflatedBlocks>")]
    pub fn fill(&self, input: Uint8Array, room: Uint8Array) -> Result<AsyncTask<BlocksTask>> {
        if overlap(&input, &room) {
            return Err(invalid(OVERLAP.into()));
        }
        Ok(AsyncTask::new(BlocksTask { gunzip: Arc::clone(&self.gunzip), input, room }))
    }
}

/// One room that is being filled. It keeps the memory of both arrays alive.
pub struct BlocksTask {
    gunzip: Arc<Mutex<Gunzip>>,
    input: Uint8Array,
    room: Uint8Array,
}

impl Task for BlocksTask {
    type Output = (Progress, Vec<Block>);
    type JsValue = InflatedBlocks;

    fn compute(&mut self) -> Result<Self::Output> {
        contained(|| {
            // SAFETY: as for packing.
            let room = unsafe { self.room.as_mut() };
            let mut blocks = Vec::new();
            let progress =
                locked(&self.gunzip).push_blocks(&self.input, room, &mut blocks).map_err(refused)?;
            Ok((progress, blocks))
        })
    }

    fn resolve(&mut self, _: Env, (progress, blocks): Self::Output) -> Result<InflatedBlocks> {
        let numbers =
            |each: &Block| [each.bit as f64, each.byte as f64, each.member.map_or(-1.0, |at| at as f64)];
        Ok(InflatedBlocks {
            read: progress.read as u32,
            written: progress.written as u32,
            more: progress.written == self.room.len() || blocks.len() >= MOST_BLOCKS,
            place: number_of(progress.place),
            blocks: Float64Array::new(blocks.iter().flat_map(numbers).collect()),
        })
    }
}

/// Returns the number by which a place is told.
fn number_of(place: Place) -> u32 {
    match place {
        Place::Inside => 0,
        Place::Between => 1,
        Place::Stray => 2,
    }
}

/// Returns the error for a stream that is refused.
fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Damaged(words) => Error::from_reason(format!("damaged: {words}")),
        Refusal::Memory => Error::from_reason("memory is short"),
    }
}

/// Locks a value. A panic while it was locked has ended a task with an error, and its caller does not go on.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns a panic into an error: none may cross into C.
fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::from_reason("the engine has a bug: it panicked")))
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
