//! Packs pieces of raw deflate streams with libdeflate. Pieces that are left open can be joined to one stream.

use std::ffi::c_int;
use std::ptr::NonNull;

#[repr(C)]
struct RawCompressor {
    _private: [u8; 0],
}

// These are libdeflate's functions under the names that build.rs gives them, and that of open.c.
unsafe extern "C" {
    fn ocislim_alloc_compressor(level: c_int) -> *mut RawCompressor;
    fn ocislim_free_compressor(compressor: *mut RawCompressor);
    fn ocislim_deflate(
        compressor: *mut RawCompressor,
        input: *const u8,
        input_size: usize,
        output: *mut u8,
        output_size: usize,
        last: bool,
    ) -> usize;
}

/// The state of one packer, for one level and one thread.
pub struct Compressor {
    raw: NonNull<RawCompressor>,
    level: i32,
}

impl Compressor {
    /// Makes a packer for a level from 1 to 12; none for other levels, and where memory is short.
    pub fn new(level: i32) -> Option<Self> {
        if !(1..=12).contains(&level) {
            return None;
        }
        // SAFETY: the function takes any level, and returns null where it fails.
        let raw = NonNull::new(unsafe { ocislim_alloc_compressor(level) })?;
        Some(Self { raw, level })
    }

    /// Returns the level that it packs at.
    pub fn level(&self) -> i32 {
        self.level
    }

    /// Packs a piece into `output`; another piece can follow it unless it is the last. Returns the number of bytes, or none where
    /// they do not fit. The bytes depend on the input, the level and `last` only.
    pub fn deflate(&mut self, input: &[u8], output: &mut [u8], last: bool) -> Option<usize> {
        // SAFETY: `raw` is a live compressor, which `&mut self` gives to this call alone; both ranges are valid for their lengths.
        let size = unsafe {
            ocislim_deflate(
                self.raw.as_ptr(),
                input.as_ptr(),
                input.len(),
                output.as_mut_ptr(),
                output.len(),
                last,
            )
        };
        (size > 0).then_some(size)
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        // SAFETY: `raw` came from ocislim_alloc_compressor, and is freed once.
        unsafe { ocislim_free_compressor(self.raw.as_ptr()) }
    }
}

// SAFETY: a compressor is plain memory, without ties to the thread that made it.
unsafe impl Send for Compressor {}

/// Returns room that is enough for any piece: stored blocks (5 bytes for each 5,000), and what leaves a stream open.
pub fn room_for(input: usize) -> usize {
    input + 5 * (input / 5000 + 1) + 16
}
