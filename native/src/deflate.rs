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

#[cfg(test)]
mod tests {
    use super::*;
    use libdeflater::{CompressionLvl, Compressor as Unchanged};
    use zlib_rs::{Inflate, InflateFlush, Status};

    /// Bytes that pack in every kind of block: zeros, words, noise.
    fn sample(size: usize, seed: u32) -> Vec<u8> {
        let mut state = seed;
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let kind = (bytes.len() / 70_000 + seed as usize) % 3;
            let high = (state >> 24) as u8;
            bytes.push(match kind {
                0 => 0,
                1 if bytes.len() > 40 && high > 16 => bytes[bytes.len() - 1 - (high & 31) as usize],
                _ => high,
            });
        }
        bytes
    }

    fn pack(input: &[u8], level: i32, last: bool) -> Vec<u8> {
        let mut room = vec![0xaa; room_for(input.len())];
        let size = Compressor::new(level).unwrap().deflate(input, &mut room, last).unwrap();
        room.truncate(size);
        room
    }

    #[test]
    fn the_last_piece_is_what_libdeflate_writes_without_changes() {
        for level in 1..=12 {
            for size in [0, 1, 9, 51, 52, 300, 66_000, 150_000] {
                let input = sample(size, size as u32 + level as u32);
                let mut unchanged = Unchanged::new(CompressionLvl::new(level).unwrap());
                let mut expected = vec![0; unchanged.deflate_compress_bound(size)];
                let length = unchanged.deflate_compress(&input, &mut expected).unwrap();
                assert_eq!(pack(&input, level, true), expected[..length], "level {level}, {size} bytes");
            }
        }
    }

    #[test]
    fn pieces_that_are_left_open_are_one_stream() {
        for level in 1..=12 {
            let pieces: Vec<_> =
                (0..90).chain([65_535, 65_536, 140_000]).map(|size| sample(size, size as u32)).collect();
            let mut packed: Vec<u8> = pieces.iter().flat_map(|piece| pack(piece, level, false)).collect();
            packed.extend(pack(b"end", level, true));
            let mut expected = pieces.concat();
            expected.extend(b"end");
            let mut unpacked = vec![0; expected.len()];
            let mut inflate = Inflate::new(false, 15);
            let status = inflate.decompress(&packed, &mut unpacked, InflateFlush::Finish).unwrap();
            assert_eq!((status, inflate.total_in()), (Status::StreamEnd, packed.len() as u64));
            assert_eq!(unpacked, expected);
        }
    }

    #[test]
    fn a_room_that_is_too_small_is_not_written_beyond() {
        let input = sample(40_000, 2);
        let whole = pack(&input, 6, false).len();
        let mut room = vec![0xaa; room_for(input.len())];
        for size in (0..whole).step_by(97).chain([whole - 1, whole + 20]) {
            room.fill(0xaa);
            let packed = Compressor::new(6).unwrap().deflate(&input, &mut room[..size], false);
            assert!(packed.is_none_or(|length| length == whole && length <= size));
            assert!(room[size..].iter().all(|&byte| byte == 0xaa));
        }
    }

    #[test]
    fn one_compressor_packs_each_piece_as_a_new_one_does() {
        let mut used = Compressor::new(11).unwrap();
        for size in [70_000, 5, 0, 140_000, 70_000] {
            let input = sample(size, 7);
            let mut room = vec![0; room_for(size)];
            let length = used.deflate(&input, &mut room, size % 2 == 0).unwrap();
            assert_eq!(room[..length], pack(&input, 11, size % 2 == 0));
        }
    }

    #[test]
    fn levels_run_from_1_to_12() {
        assert!([-1, 0, 13].into_iter().all(|level| Compressor::new(level).is_none()));
    }

    #[test]
    fn room_is_at_least_what_libdeflate_says() {
        let mut unchanged = Unchanged::new(CompressionLvl::new(12).unwrap());
        for size in (0..3_000_000).step_by(4999) {
            assert!(room_for(size) >= unchanged.deflate_compress_bound(size) + 5, "{size}");
        }
    }
}
