/* Thrift's compact protocol, as far as Parquet's footers and page headers need it: a struct is a list named by its field numbers. */
#include <stdint.h>
#include <string.h>
#include "millrace.h"

#define DEPTH_MAX 16
#define FIELDS_MAX 64

typedef struct {
  const uint8_t *bytes;
  size_t size, at;
} reader;

static SEXP read_struct(reader *in, int depth);

static uint8_t next_byte(reader *in) {
  if (in->at >= in->size) refuse("a header ends early");
  return in->bytes[in->at++];
}

static uint64_t next_varint(reader *in) {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    uint8_t byte = next_byte(in);
    if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  refuse("a number does not end");
  return 0;
}

/* Exact up to 2^53, which sizes and counts are far below. */
static double next_zigzag(reader *in) {
  uint64_t value = next_varint(in);
  return (value & 1) == 0 ? (double)(value >> 1) : -(double)(value >> 1) - 1;
}

static SEXP next_bytes(reader *in, uint64_t count) {
  if (count > in->size - in->at) refuse("a header ends early");
  SEXP result = Rf_allocVector(RAWSXP, (R_xlen_t)count);
  if (count > 0) memcpy(RAW(result), in->bytes + in->at, (size_t)count);
  in->at += (size_t)count;
  return result;
}

static SEXP read_list(reader *in, int depth);

static SEXP read_value(reader *in, int type, int depth) {
  if (depth > DEPTH_MAX) refuse("a header is too deep");
  switch (type) {
    case 1: case 2: return Rf_ScalarLogical(next_byte(in) == 1);
    case 3: return Rf_ScalarReal(next_byte(in));
    case 4: case 5: case 6: return Rf_ScalarReal(next_zigzag(in));
    case 7: return next_bytes(in, 8);
    case 8: return next_bytes(in, next_varint(in));
    case 9: case 10: return read_list(in, depth + 1);
    case 12: return read_struct(in, depth + 1);
    default: refuse("a header is of an unknown kind");
  }
  return R_NilValue;
}

/* Each element has a byte at least, so a count beyond the bytes is wrong before anything is made for it. */
static SEXP read_list(reader *in, int depth) {
  uint8_t header = next_byte(in);
  uint64_t count = header >> 4;
  if (count == 15) count = next_varint(in);
  if (count > in->size - in->at) refuse("a list does not end");
  SEXP result = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)count));
  for (uint64_t i = 0; i < count; i++) SET_VECTOR_ELT(result, (R_xlen_t)i, read_value(in, header & 15, depth));
  UNPROTECT(1);
  return result;
}

static SEXP read_struct(reader *in, int depth) {
  SEXP ids = PROTECT(Rf_allocVector(STRSXP, FIELDS_MAX)), values = PROTECT(Rf_allocVector(VECSXP, FIELDS_MAX));
  int count = 0, id = 0;
  for (uint8_t header = next_byte(in); header != 0; header = next_byte(in)) {
    if (count == FIELDS_MAX) refuse("a header has too many fields");
    int type = header & 15;
    id = header >= 16 ? id + (header >> 4) : (int)next_zigzag(in);
    char name[12];
    snprintf(name, sizeof name, "%d", id);
    SET_STRING_ELT(ids, count, Rf_mkChar(name));
    SET_VECTOR_ELT(values, count++, type <= 2 ? Rf_ScalarLogical(type == 1) : read_value(in, type, depth));
  }
  SEXP result = PROTECT(Rf_lengthgets(values, count)), names = PROTECT(Rf_lengthgets(ids, count));
  Rf_setAttrib(result, R_NamesSymbol, names);
  UNPROTECT(4);
  return result;
}

/* The struct at an offset, and the offset after it. */
SEXP read_thrift(SEXP bytes, SEXP at) {
  double start = Rf_asReal(at);
  if (!(start >= 0 && start <= (double)XLENGTH(bytes))) refuse("a header is outside of its file");
  reader in = {RAW(bytes), (size_t)XLENGTH(bytes), (size_t)start};
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(result, 0, read_struct(&in, 0));
  SET_VECTOR_ELT(result, 1, Rf_ScalarReal((double)in.at));
  UNPROTECT(1);
  return result;
}
