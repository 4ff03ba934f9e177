//! Streams for the tests of this crate.

use libdeflater::{CompressionLvl, Compressor};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Strategy};

/// Packs a body as one gzip member.
pub fn member(body: &[u8]) -> Vec<u8> {
    let mut packer = Compressor::new(CompressionLvl::new(6).unwrap());
    let mut packed = vec![0; packer.gzip_compress_bound(body.len())];
    let size = packer.gzip_compress(body, &mut packed).unwrap();
    packed.truncate(size);
    packed
}

/// Packs a body as one gzip member with zlib, each piece followed by a flush, so that there are blocks of every kind.
pub fn flushed(body: &[u8], level: i32, strategy: Strategy, piece: usize, flush: DeflateFlush) -> Vec<u8> {
    let config = DeflateConfig { level, strategy, window_bits: 31, ..DeflateConfig::default() };
    let mut packer = Deflate::new_with_config(config);
    let mut packed = vec![0; 2 * body.len() + 100 * (body.len() / piece + 10)];
    for each in body.chunks(piece) {
        let from = packer.total_out() as usize;
        packer.compress(each, &mut packed[from..], flush).unwrap();
    }
    let from = packer.total_out() as usize;
    packer.compress(&[], &mut packed[from..], DeflateFlush::Finish).unwrap();
    packed.truncate(packer.total_out() as usize);
    packed
}
