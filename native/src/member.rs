//! Unpacks one gzip member with zlib-rs, and says where its blocks begin. `zlib_rs::Inflate` does not say that, so this stands on what
//! that stands on: the feature `__internal-api`, which the exact version in `Cargo.toml` holds still.

use std::ffi::CStr;
use zlib_rs::c_api::z_stream;
use zlib_rs::inflate::{self, InflateConfig, InflateStream};
use zlib_rs::{InflateFlush, ReturnCode};

/// Window bits of zlib for gzip: 15, and 16 for the wrapper.
const GZIP: i32 = 16 + 15;

/// In zlib's `data_type`: the bits of the last byte that were not used, the last block, and the end of a block or header.
const UNUSED: i32 = 63;
const LAST: i32 = 64;
const BOUNDARY: i32 = 128;

/// Why a stream is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The stream is damaged; these are zlib's words.
    Damaged(&'static str),
    /// Memory is short.
    Memory,
}

/// Whether to stop where a block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stops {
    /// Do not stop.
    None,
    /// Stop at each block.
    Blocks,
}

/// Why a call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The input is used up or the room is full, or neither: the next call goes on.
    Starved,
    /// A block begins, with so many of the highest bits of the last byte that was used.
    Block(u64),
    /// The last block has ended. What follows is the checksum.
    Trailer,
    /// The member has ended.
    End,
}

/// What one call has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that were used.
    pub read: usize,
    /// Bytes that were unpacked.
    pub written: usize,
    /// Why it has ended.
    pub stop: Stop,
}

/// The state of one member.
pub struct Member {
    stream: z_stream,
}

// SAFETY: the stream owns its memory, and the two pointers to that of callers are used within a call only.
unsafe impl Send for Member {}

impl Member {
    /// Begins a member.
    pub fn new() -> Self {
        let mut stream = z_stream::default();
        let code = inflate::init(&mut stream, InflateConfig { window_bits: GZIP });
        assert_eq!(code, ReturnCode::Ok, "zlib-rs makes no state");
        Self { stream }
    }

    fn inner(&mut self) -> &mut InflateStream<'static> {
        // SAFETY: `init` has made the stream, and it is not freed before the member is.
        unsafe { InflateStream::from_stream_mut(&mut self.stream) }.expect("the stream was initialised")
    }

    /// Unpacks until the input is used up, the room is full, or there is a reason to stop.
    pub fn inflate(&mut self, input: &[u8], room: &mut [u8], stops: Stops) -> Result<Step, Refusal> {
        let (available, capacity) = (length(input), length(room));
        self.stream.next_in = input.as_ptr();
        self.stream.avail_in = available;
        self.stream.next_out = room.as_mut_ptr();
        self.stream.avail_out = capacity;
        let flush = match stops {
            Stops::None => InflateFlush::NoFlush,
            Stops::Blocks => InflateFlush::Block,
        };
        // SAFETY: both pointers and lengths are those of slices that outlive the call.
        let code = unsafe { inflate::inflate(self.inner(), flush) };
        let state = self.stream.data_type;
        let stop = match code {
            ReturnCode::StreamEnd => Stop::End,
            ReturnCode::Ok | ReturnCode::BufError if stops == Stops::None || state & BOUNDARY == 0 => {
                Stop::Starved
            }
            ReturnCode::Ok | ReturnCode::BufError if state & LAST != 0 => Stop::Trailer,
            ReturnCode::Ok | ReturnCode::BufError => Stop::Block((state & UNUSED) as u64),
            ReturnCode::MemError => return Err(Refusal::Memory),
            _ => return Err(Refusal::Damaged(self.words())),
        };
        let read = (available - self.stream.avail_in) as usize;
        let written = (capacity - self.stream.avail_out) as usize;
        Ok(Step { read, written, stop })
    }

    /// Returns zlib's words for the last error.
    fn words(&self) -> &'static str {
        if self.stream.msg.is_null() {
            return "data error";
        }
        // SAFETY: the messages of zlib-rs are constants that end with a zero.
        unsafe { CStr::from_ptr(self.stream.msg) }.to_str().unwrap_or("data error")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        inflate::end(self.inner());
    }
}

/// Returns the length of a slice as zlib takes it: a longer one is used in part.
fn length(slice: &[u8]) -> u32 {
    slice.len().min(u32::MAX as usize) as u32
}
