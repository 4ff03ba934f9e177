
/* build.rs appends this to libdeflate's deflate_compress.c. */

/* Room that a stream left open needs in addition to libdeflate's own bound. */
#define OPEN_BYTES 5

/*
 * Packs a piece of a raw deflate stream; another piece can follow it unless it is the last. What is left open ends with an empty
 * stored block (RFC 1951 section 3.2.4), at a byte boundary. Returns its size, or 0 where the room is too small.
 */
LIBDEFLATEAPI size_t
ocislim_deflate(struct libdeflate_compressor *c, const u8 *in, size_t in_nbytes,
		u8 *out, size_t out_nbytes_avail, bool last)
{
	size_t size;

	c->stays_open = !last;
	c->end_bits = 0;
	if (last)
		return libdeflate_deflate_compress(c, in, in_nbytes, out, out_nbytes_avail);
	if (out_nbytes_avail < OPEN_BYTES)
		return 0;
	size = libdeflate_deflate_compress(c, in, in_nbytes, out, out_nbytes_avail - OPEN_BYTES);
	if (size == 0)
		return 0;
	/* Inputs this short are one stored block, whose header is the first byte. */
	if (in_nbytes <= c->max_passthrough_size)
		out[0] &= ~1;
	/* The three bits of the header fit into the last byte, or take another one. */
	if (c->end_bits == 0 || c->end_bits > 5)
		out[size++] = 0;
	put_unaligned_le32(0xFFFF0000, out + size);
	return size + 4;
}
