/* CSV as Millrace has it: RFC 4180, and a field that is empty is null where one that is empty in quotes is empty text. The loops that R would
   be slow in. A line that is named is a record, from 1: the one of names. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "millrace.h"

typedef struct {
  const uint8_t *text;
  size_t length;
  int is_quoted, has_quotes, is_last;
} field;

typedef struct {
  const uint8_t *bytes;
  size_t size, at;
  int line;
} reader;

#define refuse_line(in, what) Rf_error("part-differs: line %d: %s", (in)->line, what)

/* Moves behind the comma or the line break. */
static void end_field(reader *in, field *found, size_t end) {
  found->is_last = end >= in->size || in->bytes[end] != ',';
  in->at = end + (end + 1 < in->size && in->bytes[end] == '\r' && in->bytes[end + 1] == '\n' ? 2 : end < in->size ? 1 : 0);
}

static void quoted_field(reader *in, field *found) {
  size_t start = in->at + 1, end = start;
  for (;; end++) {
    if (end >= in->size) refuse_line(in, "a quote is never closed");
    if (in->bytes[end] != '"') continue;
    if (end + 1 >= in->size || in->bytes[end + 1] != '"') break;
    found->has_quotes = 1;
    end++;
  }
  if (end + 1 < in->size && memchr(",\n\r", in->bytes[end + 1], 3) == NULL) refuse_line(in, "text follows the closing quote of a field");
  found->text = in->bytes + start;
  found->length = end - start;
  end_field(in, found, end + 1);
}

static field next_field(reader *in) {
  field found = {in->bytes + in->at, 0, 0, 0, 0};
  if (in->at < in->size && in->bytes[in->at] == '"') {
    found.is_quoted = 1;
    quoted_field(in, &found);
    return found;
  }
  size_t end = in->at;
  while (end < in->size && in->bytes[end] != ',' && in->bytes[end] != '\n' && in->bytes[end] != '\r') {
    if (in->bytes[end++] == '"') refuse_line(in, "a quote is inside of a field that has none around");
  }
  found.length = end - in->at;
  end_field(in, &found, end);
  return found;
}

/* Of one line, which is read to its end. A blank one has one field. */
static int skip_line(reader *in) {
  int fields = 1;
  in->line++;
  while (!next_field(in).is_last) fields++;
  return fields;
}

/* Where each of the names is in the first line. */
static int *places_of(reader *in, SEXP names, int *width) {
  int count = Rf_length(names), *places = (int *)R_alloc((size_t)count + 1, sizeof(int));
  for (int i = 0; i < count; i++) places[i] = -1;
  int is_last = in->size == 0;
  in->line = 1;
  for (*width = 0; !is_last; (*width)++) {
    field found = next_field(in);
    is_last = found.is_last;
    for (int i = 0; i < count; i++) {
      const char *name = CHAR(STRING_ELT(names, i));
      if (strlen(name) != found.length || memcmp(name, found.text, found.length) != 0) continue;
      if (places[i] >= 0) Rf_error("part-differs: line 1: two columns are called \"%s\"", name);
      places[i] = *width;
    }
  }
  for (int i = 0; i < count; i++) {
    if (places[i] < 0) Rf_error("part-differs: line 1: the column \"%s\" is not there", CHAR(STRING_ELT(names, i)));
  }
  return places;
}

static SEXP text_of(const reader *in, const field *found) {
  if (found->length == 0) return found->is_quoted ? R_BlankString : NA_STRING;
  if (found->length > INT_MAX) refuse_line(in, "a field is too long");
  if (memchr(found->text, 0, found->length) != NULL) Rf_error("text-has-zero: line %d has the character U+0000, which R's texts cannot hold", in->line);
  if (!found->has_quotes) return Rf_mkCharLenCE((const char *)found->text, (int)found->length, CE_UTF8);
  const void *before = vmaxget();
  char *buffer = R_alloc(found->length, 1);
  size_t length = 0;
  for (size_t i = 0; i < found->length; i++) {
    buffer[length++] = (char)found->text[i];
    if (found->text[i] == '"') i++;
  }
  SEXP text = Rf_mkCharLenCE(buffer, (int)length, CE_UTF8);
  vmaxset(before);
  return text;
}

/* How many rows, and the fields of each of the named columns: NA for null. */
SEXP read_csv(SEXP bytes, SEXP names) {
  reader in = {RAW(bytes), (size_t)XLENGTH(bytes), 0, 0};
  int width, columns = Rf_length(names);
  int *places = places_of(&in, names, &width);
  reader rows_in = in;
  while (in.at < in.size) {
    if (in.line == INT_MAX) refuse_line(&in, "there are too many");
    int fields = skip_line(&in);
    if (fields != width) Rf_error("part-differs: line %d: %d fields instead of %d", in.line, fields, width);
  }
  int rows = in.line - rows_in.line;
  in = rows_in;
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(result, 0, Rf_ScalarInteger(rows));
  SEXP data = Rf_allocVector(VECSXP, columns);
  SET_VECTOR_ELT(result, 1, data);
  for (int i = 0; i < columns; i++) SET_VECTOR_ELT(data, i, Rf_allocVector(STRSXP, rows));
  for (int row = 0; row < rows; row++) {
    in.line++;
    for (int place = 0; place < width; place++) {
      field found = next_field(&in);
      for (int i = 0; i < columns; i++) {
        if (places[i] == place) SET_STRING_ELT(VECTOR_ELT(data, i), row, text_of(&in, &found));
      }
    }
  }
  UNPROTECT(1);
  return result;
}

/* Decimal text as the nearest double, which R's own as.double is not always. */
SEXP read_doubles(SEXP texts) {
  R_xlen_t count = XLENGTH(texts);
  SEXP result = PROTECT(Rf_allocVector(REALSXP, count));
  for (R_xlen_t i = 0; i < count; i++) {
    SEXP text = STRING_ELT(texts, i);
    REAL(result)[i] = text == NA_STRING ? NA_REAL : strtod(CHAR(text), NULL);
  }
  UNPROTECT(1);
  return result;
}
