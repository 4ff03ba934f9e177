//! Streams for the tests of this crate.

use libdeflater::{CompressionLvl, Compressor};

/// Packs a body as one gzip member.
pub fn member(body: &[u8]) -> Vec<u8> {
    let mut packer = Compressor::new(CompressionLvl::new(6).unwrap());
    let mut packed = vec![0; packer.gzip_compress_bound(body.len())];
    let size = packer.gzip_compress(body, &mut packed).unwrap();
    packed.truncate(size);
    packed
}
