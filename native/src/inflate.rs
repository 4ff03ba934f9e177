//! Unpacks gzip as a stream, with any number of members, as strictly as node:zlib does with what `codec/gunzip.ts` adds to it. On
//! request it says where each deflate block begins.

use crate::member::{Member, Refusal, Stop, Stops};

/// The most blocks of one call.
pub const MOST_BLOCKS: usize = 1024;

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

/// The beginning of a deflate block. Positions count over all members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Bits of the packed stream before the block.
    pub bit: u64,
    /// Bytes of the unpacked stream before those of the block.
    pub byte: u64,
    /// Bytes of the packed stream before the member whose first block it is.
    pub member: Option<u64>,
}

/// The state of one stream.
pub struct Gunzip {
    member: Member,
    place: Place,
    /// Bytes that were used and unpacked by all calls.
    packed: u64,
    unpacked: u64,
    /// Where the member begins, until its first block does.
    opening: Option<u64>,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self { member: Member::new(), place: Place::Inside, packed: 0, unpacked: 0, opening: Some(0) }
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
        self.run(input, room, None)
    }

    /// Unpacks as `push` does, and notes the blocks that begin. It stops at `MOST_BLOCKS`: then more may be waiting, too.
    pub fn push_blocks(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        blocks: &mut Vec<Block>,
    ) -> Result<Progress, Refusal> {
        self.run(input, room, Some(blocks))
    }

    fn run(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        mut blocks: Option<&mut Vec<Block>>,
    ) -> Result<Progress, Refusal> {
        let stops = if blocks.is_some() { Stops::Blocks } else { Stops::None };
        let (mut read, mut written) = (0, 0);
        loop {
            match (self.place, input.get(read)) {
                (Place::Stray, _) | (Place::Between, None) => break,
                (Place::Between, Some(0)) => {
                    self.place = Place::Stray;
                    break;
                }
                (Place::Between, Some(_)) => {
                    self.member = Member::new();
                    self.place = Place::Inside;
                    self.opening = Some(self.packed + read as u64);
                }
                (Place::Inside, _) => {}
            }
            let step = self.member.inflate(&input[read..], &mut room[written..], stops)?;
            read += step.read;
            written += step.written;
            match (step.stop, blocks.as_deref_mut()) {
                (Stop::End, _) => self.place = Place::Between,
                (Stop::Block(unused), Some(blocks)) => {
                    blocks.push(Block {
                        bit: (self.packed + read as u64) * 8 - unused,
                        byte: self.unpacked + written as u64,
                        member: self.opening.take(),
                    });
                    if blocks.len() >= MOST_BLOCKS {
                        break;
                    }
                }
                (Stop::Block(_) | Stop::Trailer, _) => {}
                (Stop::Starved, _) => {
                    let idle = step.read == 0 && step.written == 0;
                    if read == input.len() || written == room.len() || idle {
                        break;
                    }
                }
            }
        }
        self.packed += read as u64;
        self.unpacked += written as u64;
        Ok(Progress { read, written, place: self.place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{flushed, member};
    use zlib_rs::c_api::z_stream;
    use zlib_rs::inflate::{self, InflateConfig, InflateStream};
    use zlib_rs::{DeflateFlush, InflateFlush, ReturnCode, Strategy};

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

    /// A body with words, zeros and noise, so that there are blocks of every kind.
    fn mixture(size: u32) -> Vec<u8> {
        let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        (0..size)
            .map(|i| if i % 9000 < 3000 { b'a' + noise(i / 3) % 9 } else { noise(i) & (i >> 9) as u8 })
            .collect()
    }

    /// Streams of one member each, by several encoders.
    fn streams(body: &[u8]) -> Vec<Vec<u8>> {
        let flushes =
            [DeflateFlush::NoFlush, DeflateFlush::PartialFlush, DeflateFlush::FullFlush, DeflateFlush::Block];
        let strategies = [Strategy::Default, Strategy::Fixed, Strategy::HuffmanOnly, Strategy::Rle];
        let zlib = (0..10).map(|level| {
            let at = level as usize % 4;
            flushed(body, level, strategies[at], 7000, flushes[(at + level as usize / 4) % 4])
        });
        [member(body), member(b"")].into_iter().chain(zlib).collect()
    }

    /// Finds the blocks, with what is unpacked.
    fn find(packed: &[u8], piece: usize, room: usize) -> Result<(Vec<u8>, Vec<Block>), Refusal> {
        let (mut gunzip, mut unpacked, mut blocks) = (Gunzip::default(), Vec::new(), Vec::new());
        for input in packed.chunks(piece) {
            let mut at = 0;
            loop {
                let (mut memory, mut found) = (vec![0; room], Vec::new());
                let progress = gunzip.push_blocks(&input[at..], &mut memory, &mut found)?;
                at += progress.read;
                unpacked.extend(&memory[..progress.written]);
                assert!(found.len() <= MOST_BLOCKS);
                blocks.extend(&found);
                if progress.written < room && found.len() < MOST_BLOCKS {
                    assert!(at == input.len() || progress.place == Place::Stray);
                    break;
                }
            }
        }
        Ok((unpacked, blocks))
    }

    /// Unpacks from a block to the end of its member, with the bytes before it as dictionary.
    fn resume(packed: &[u8], block: Block, before: &[u8], size: usize) -> Vec<u8> {
        let mut raw = z_stream::default();
        assert_eq!(inflate::init(&mut raw, InflateConfig { window_bits: -15 }), ReturnCode::Ok);
        // SAFETY: `init` has made the stream, and both slices outlive the call.
        unsafe {
            let stream = InflateStream::from_stream_mut(&mut raw).unwrap();
            let mut from = (block.bit / 8) as usize;
            let used = (block.bit % 8) as i32;
            if used > 0 {
                assert_eq!(inflate::prime(stream, 8 - used, i32::from(packed[from]) >> used), ReturnCode::Ok);
                from += 1;
            }
            assert_eq!(inflate::set_dictionary(stream, before), ReturnCode::Ok);
            let mut unpacked = vec![0; size + 300];
            raw.next_in = packed[from..].as_ptr();
            raw.avail_in = (packed.len() - from) as u32;
            raw.next_out = unpacked.as_mut_ptr();
            raw.avail_out = unpacked.len() as u32;
            let stream = InflateStream::from_stream_mut(&mut raw).unwrap();
            assert_eq!(inflate::inflate(stream, InflateFlush::NoFlush), ReturnCode::StreamEnd);
            inflate::end(stream);
            unpacked.truncate(unpacked.len() - raw.avail_out as usize);
            unpacked
        }
    }

    #[test]
    fn every_block_unpacks_with_the_bytes_before_it() {
        let body = mixture(100_000);
        for packed in streams(&body) {
            let (unpacked, blocks) = find(&packed, packed.len(), 262_144).unwrap();
            assert!(unpacked == body || unpacked.is_empty());
            assert_eq!(blocks[0], Block { bit: 80, byte: 0, member: Some(0) });
            assert!(blocks[1..].iter().all(|block| block.member.is_none()));
            for block in blocks {
                let at = block.byte as usize;
                let before = &unpacked[at.saturating_sub(32_768)..at];
                assert!(resume(&packed, block, before, unpacked.len() - at) == unpacked[at..]);
            }
        }
    }

    #[test]
    fn blocks_are_the_same_in_any_pieces_and_positions_count_over_all_members() {
        let body = mixture(30_000);
        let (mut packed, mut expected, mut unpacked) = (Vec::new(), Vec::new(), Vec::new());
        for each in streams(&body) {
            let (bytes, blocks) = find(&each, each.len(), 262_144).unwrap();
            let shift = |block: Block| Block {
                bit: block.bit + 8 * packed.len() as u64,
                byte: block.byte + unpacked.len() as u64,
                member: block.member.map(|at| at + packed.len() as u64),
            };
            expected.extend(blocks.into_iter().map(shift).collect::<Vec<_>>());
            packed.extend(each);
            unpacked.extend(bytes);
        }
        for (piece, room) in
            [(1, 1), (3, 300), (1, 5000), (5000, 1), (packed.len(), 1000), (packed.len(), 1_000_000)]
        {
            assert!(find(&packed, piece, room) == Ok((unpacked.clone(), expected.clone())));
        }
    }

    #[test]
    fn many_empty_blocks_come_in_bounded_numbers() {
        // An empty fixed block has ten bits: 0 01 0000000. Four of them are five bytes.
        let four = (0..4).fold(0u64, |bits, i| bits | 0b10 << (10 * i)).to_le_bytes();
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let packed = [&head[..], &four[..5].repeat(2000), &[3, 0], &[0; 8]].concat();
        let (unpacked, blocks) = find(&packed, packed.len(), 10).unwrap();
        assert_eq!((unpacked.len(), blocks.len()), (0, 8001));
        assert!(
            blocks.iter().enumerate().all(|(i, block)| block.bit == 80 + 10 * i as u64 && block.byte == 0)
        );
    }

    #[test]
    fn what_is_damaged_is_refused_in_the_same_words_with_and_without_blocks() {
        let packed = [member(&mixture(3000)), member(b"more words"), vec![0]].concat();
        for at in 0..packed.len() {
            for bit in 0..8 {
                let mut damaged = packed.clone();
                damaged[at] ^= 1 << bit;
                let plain = unpack(&damaged, damaged.len(), 1 << 16).map(|(bytes, _)| bytes);
                assert_eq!(find(&damaged, damaged.len(), 1 << 16).map(|(bytes, _)| bytes), plain);
            }
        }
    }
}
