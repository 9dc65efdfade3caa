/* The loops of reading Parquet that R would be slow in. Every offset is held against the end of its bytes: wrong bytes are an error. */
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <R_ext/Rdynload.h>
#include "millrace.h"

static uint32_t little_endian(const uint8_t *at, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint32_t)at[i] << (8 * i);
  return value;
}

/* A varint of at most 32 bits; moves *at. */
static uint32_t varint(const uint8_t *bytes, size_t size, size_t *at) {
  uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (*at >= size) refuse("a number ends early");
    uint8_t byte = bytes[(*at)++];
    value |= (uint64_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      if (value > UINT32_MAX) refuse("a number is too big");
      return (uint32_t)value;
    }
  }
  refuse("a number does not end");
  return 0;
}

/* Snappy's raw format: a length, then literals and copies of what was before. */
static SEXP unsnap(SEXP compressed, SEXP expected) {
  const uint8_t *in = RAW(compressed);
  size_t size = (size_t)XLENGTH(compressed), at = 0, done = 0;
  uint32_t length = varint(in, size, &at);
  if ((double)length != Rf_asReal(expected)) refuse("a page has another size than it says");
  SEXP result = PROTECT(Rf_allocVector(RAWSXP, length));
  uint8_t *out = RAW(result);
  while (at < size) {
    uint8_t tag = in[at++];
    size_t count, offset;
    if ((tag & 3) == 0) {
      count = (size_t)(tag >> 2) + 1;
      if (count > 60) {
        int extra = (int)count - 60;
        if (size - at < (size_t)extra) refuse("a literal ends early");
        count = (size_t)little_endian(in + at, extra) + 1;
        at += (size_t)extra;
      }
      if (size - at < count || length - done < count) refuse("a literal is too long");
      memcpy(out + done, in + at, count);
      at += count;
      done += count;
      continue;
    }
    int extra = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    if (size - at < (size_t)extra) refuse("a copy ends early");
    offset = little_endian(in + at, extra);
    if (extra == 1) {
      offset |= (size_t)(tag >> 5) << 8;
      count = (size_t)((tag >> 2) & 7) + 4;
    } else {
      count = (size_t)(tag >> 2) + 1;
    }
    at += (size_t)extra;
    if (offset == 0 || offset > done || length - done < count) refuse("a copy is of nothing");
    for (size_t i = 0; i < count; i++, done++) out[done] = out[done - offset];
  }
  if (done != length) refuse("a page ends early");
  UNPROTECT(1);
  return result;
}

/* Runs of one value, and groups of eight packed by bits; `width` bits each. */
static SEXP unpack_hybrid(SEXP packed, SEXP width_, SEXP count_) {
  const uint8_t *in = RAW(packed);
  size_t size = (size_t)XLENGTH(packed), at = 0;
  int width = Rf_asInteger(width_), count = Rf_asInteger(count_), done = 0;
  if (width < 0 || width > 31 || count < 0) refuse("levels are too wide");
  SEXP result = PROTECT(Rf_allocVector(INTSXP, count));
  int *out = INTEGER(result);
  if (width == 0) {
    if (count > 0) memset(out, 0, (size_t)count * sizeof(int));
    done = count;
  }
  while (done < count) {
    uint32_t header = varint(in, size, &at);
    if ((header & 1) == 0) {
      int bytes = (width + 7) / 8;
      uint32_t run = header >> 1;
      if (size - at < (size_t)bytes) refuse("a run ends early");
      int value = (int)little_endian(in + at, bytes);
      at += (size_t)bytes;
      if (run == 0 || run > (uint32_t)(count - done)) refuse("a run is too long");
      for (uint32_t i = 0; i < run; i++) out[done++] = value;
      continue;
    }
    size_t groups = header >> 1, bytes = groups * (size_t)width;
    if (groups == 0 || size - at < bytes) refuse("packed values end early");
    uint64_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < bytes && done < count; i++) {
      bits |= (uint64_t)in[at + i] << have;
      have += 8;
      while (have >= width && done < count) {
        out[done++] = (int)(bits & ((1u << width) - 1));
        bits >>= width;
        have -= width;
      }
    }
    at += bytes;
  }
  UNPROTECT(1);
  return result;
}

/* Texts, each after its length. */
static SEXP read_texts(SEXP plain, SEXP count_) {
  const uint8_t *in = RAW(plain);
  size_t size = (size_t)XLENGTH(plain), at = 0;
  int count = Rf_asInteger(count_);
  if (count < 0 || (size_t)count > size / 4) refuse("texts end early");
  SEXP result = PROTECT(Rf_allocVector(STRSXP, count));
  for (int i = 0; i < count; i++) {
    if (size - at < 4) refuse("texts end early");
    uint32_t length = little_endian(in + at, 4);
    at += 4;
    if (length > INT_MAX || size - at < length) refuse("a text ends early");
    if (length > 0 && memchr(in + at, 0, length) != NULL) Rf_error("text-has-zero: a text has the character U+0000");
    SET_STRING_ELT(result, i, Rf_mkCharLenCE((const char *)in + at, (int)length, CE_UTF8));
    at += length;
  }
  UNPROTECT(1);
  return result;
}

/* Integers of 64 bits: as they are, which is what bit64 has in a double's place, or as doubles that hold them exactly. */
static SEXP read_int64(SEXP plain, SEXP count_, SEXP as_bits_) {
  const uint8_t *in = RAW(plain);
  int count = Rf_asInteger(count_), as_bits = Rf_asLogical(as_bits_);
  if (count < 0 || (size_t)count > (size_t)XLENGTH(plain) / 8) refuse("integers end early");
  SEXP result = PROTECT(Rf_allocVector(REALSXP, count));
  double *out = REAL(result);
  for (int i = 0; i < count; i++) {
    uint64_t bits = little_endian(in + 8 * (size_t)i, 4) | (uint64_t)little_endian(in + 8 * (size_t)i + 4, 4) << 32;
    int64_t value = (int64_t)bits;
    if (as_bits) {
      if (value == INT64_MIN) Rf_error("int64-least: an integer is -2^63, which bit64 takes for NA");
      memcpy(out + i, &value, 8);
    } else {
      if (value > 9007199254740991LL || value < -9007199254740991LL) Rf_error("bit64-needed: an integer is beyond 2^53");
      out[i] = (double)value;
    }
  }
  UNPROTECT(1);
  return result;
}

static const R_CallMethodDef METHODS[] = {
  {"read_thrift", (DL_FUNC)&read_thrift, 2},
  {"unsnap", (DL_FUNC)&unsnap, 2},
  {"unpack_hybrid", (DL_FUNC)&unpack_hybrid, 3},
  {"read_texts", (DL_FUNC)&read_texts, 2},
  {"read_int64", (DL_FUNC)&read_int64, 3},
  {"read_csv", (DL_FUNC)&read_csv, 2},
  {"read_doubles", (DL_FUNC)&read_doubles, 1},
  {NULL, NULL, 0}
};

void R_init_millrace(DllInfo *dll) {
  R_registerRoutines(dll, NULL, METHODS, NULL, NULL);
  R_useDynamicSymbols(dll, FALSE);
}
