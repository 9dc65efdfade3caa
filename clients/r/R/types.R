# Columns of data frames as the catalogue's types (docs/catalog.md of Millrace). Nothing is made another value silently: what a type does not
# hold is refused with the column's name.

SCALARS <- c("string", "int64", "double", "boolean", "timestamp", "json")
SCALAR_SHAPES <- list2env(lapply(stats::setNames(SCALARS, SCALARS), function(type) list(kind = "scalar", of = type)), parent = emptyenv())
INTEGER_EXACT_MAX <- 2^53 - 1
SECONDS_MIN <- -62167219200 # 0000-01-01, RFC 3339 has years of four digits.
SECONDS_END <- 253402300800 # 10000-01-01

# `list<double>` is list(kind = "list", of = "double").
type_shape <- function(type) {
  known <- if (nzchar(type)) SCALAR_SHAPES[[type]]
  if (!is.null(known)) return(known)
  found <- regmatches(type, regexec("^(?:(list|map)<(?:string,)?(\\w+)>|(\\w+))$", type, perl = TRUE))[[1]]
  kind <- if (length(found) == 0 || !nzchar(found[2])) "scalar" else found[2]
  of <- if (length(found) == 0) "" else if (kind == "scalar") found[4] else found[3]
  is_type <- of %in% SCALARS && (kind == "scalar" || grepl("string,", type, fixed = TRUE) == (kind == "map"))
  if (is_type) return(list(kind = kind, of = of))
  fail("column-invalid", sprintf("\"%s\" is no type of a column", type), paste("Use", toString(SCALARS), "or list<T>, map<string,T> of these."))
}

# What the values are, where nobody has said. A column of nothing but NA is text.
type_of <- function(name, x) {
  if (is.factor(x) || is.character(x)) return("string")
  if (inherits(x, "POSIXt")) return("timestamp")
  if (inherits(x, "integer64")) return("int64")
  if (is.list(x) && !is.data.frame(x)) return(type_of_list(x))
  if (is.object(x) && !inherits(x, "AsIs")) {
    fail("column-invalid", sprintf("The column \"%s\" is a %s, which the catalogue does not have", name, class(x)[1]), paste(
      "Make it text with format(), a number with as.numeric(), or an instant with as.POSIXct()."
    ))
  }
  if (is.logical(x)) return(if (length(x) > 0 && all(is.na(x))) "string" else "boolean")
  if (is.integer(x)) return("int64")
  if (is.double(x)) return("double")
  fail("column-invalid", sprintf("The column \"%s\" is %s", name, typeof(x)), "Make it text, numbers, flags, instants or lists.")
}

# Vectors of one kind are list<T>, those with names map<string,T>, whatever is deeper or mixed is json.
type_of_list <- function(x) {
  x <- x[lengths(x) > 0]
  is_plain <- vapply(x, function(each) is.atomic(each) && (!is.object(each) || inherits(each, c("integer64", "factor", "POSIXct"))), NA)
  if (length(x) == 0 || !all(is_plain)) return("json")
  known <- x[!vapply(x, function(each) is.logical(each) && all(is.na(each)), NA)]
  inner <- unique(vapply(known, function(each) type_of("", each), ""))
  if (length(inner) == 0) inner <- "string"
  if (setequal(inner, c("int64", "double")) && !any(vapply(known, inherits, NA, "integer64"))) inner <- "double"
  is_named <- vapply(x, function(each) !is.null(names(each)), NA)
  if (length(inner) != 1 || any(is_named) != all(is_named)) return("json")
  if (all(is_named)) paste0("map<string,", inner, ">") else paste0("list<", inner, ">")
}

# The values as the type has them: character, integer64 (or double), double, logical, POSIXct, or a list of these with NULL for null.
as_column <- function(x, type, name) {
  shape <- type_shape(type)
  if (shape$kind == "scalar") return(as_scalars(x, shape$of, name, type))
  if (!is.list(x)) {
    if (all(is.na(x))) return(rep(list(NULL), length(x)))
    row_invalid(name, type, "it is no list")
  }
  lapply(x, function(each) if (!is.null(each)) as_members(each, shape, name, type))
}

as_members <- function(x, shape, name, type) {
  keys <- names(x)
  if (shape$kind == "map") {
    if (length(x) > 0 && (is.null(keys) || anyNA(keys) || anyDuplicated(keys) > 0)) row_invalid(name, type, "each value needs a name of its own")
    if (any(keys == "__proto__")) row_invalid(name, type, "__proto__ is no name")
  } else if (is.list(x) && shape$of != "json") {
    row_invalid(name, type, "a list is deeper than that")
  }
  values <- if (shape$of == "json") as.list(x) else as_scalars(if (length(x) == 0) NA[0] else unname_vector(x), shape$of, name, type)
  if (shape$kind == "map") names(values) <- if (length(x) == 0) character() else enc2utf8(keys)
  values
}

unname_vector <- function(x) {
  names(x) <- NULL
  x
}

as_scalars <- function(x, of, name, type) {
  if (is.factor(x)) x <- as.character(x)
  is_nothing <- is.logical(x) && all(is.na(x))
  switch(of,
    string = {
      if (!is.character(x) && !is_nothing) row_invalid(name, type, sprintf("it is %s", class(x)[1]))
      utf8_text(as.character(x), function() row_invalid(name, type, "its text is not UTF-8"))
    },
    boolean = if (is.logical(x)) as.logical(x) else row_invalid(name, type, sprintf("it is %s", class(x)[1])),
    double = as_doubles(x, name, type),
    int64 = as_int64(x, name, type),
    timestamp = as_instants(if (is_nothing) .POSIXct(as.numeric(x), "UTC") else x, name, type),
    json = if (is.list(x)) x else lapply(x, function(each) if (!is.na(each)) each)
  )
}

# R itself would write <ff> for a byte that is no text.
utf8_text <- function(x, refuse) {
  locale <- l10n_info()
  is_utf8 <- locale$`UTF-8` || !(locale$MBCS || locale$`Latin-1`)
  unknown <- is_utf8 & Encoding(x) == "unknown"
  if (any(unknown)) Encoding(x[unknown]) <- "UTF-8"
  if (any(Encoding(x) == "bytes")) refuse()
  x <- enc2utf8(x)
  if (all(validUTF8(x))) x else refuse()
}

as_doubles <- function(x, name, type) {
  if (inherits(x, "integer64")) {
    if (any(abs(bit64_double(x)) > INTEGER_EXACT_MAX, na.rm = TRUE)) row_invalid(name, type, "an integer beyond 2^53 is none")
    x <- bit64_double(x)
  }
  if (is.object(x) || !(is.numeric(x) || (is.logical(x) && all(is.na(x))))) row_invalid(name, type, sprintf("it is %s", class(x)[1]))
  x <- as.double(x)
  if (any(is.nan(x) | is.infinite(x))) row_invalid(name, type, "NaN and infinities are none")
  x
}

as_int64 <- function(x, name, type) {
  if (inherits(x, "integer64")) {
    need_bit64(name)
    return(x)
  }
  if (is.object(x) || !(is.numeric(x) || (is.logical(x) && all(is.na(x))))) row_invalid(name, type, sprintf("it is %s", class(x)[1]))
  x <- as.double(x)
  if (any(is.nan(x) | (!is.na(x) & x != trunc(x)))) row_invalid(name, type, "it has fractions")
  if (any(abs(x) > INTEGER_EXACT_MAX, na.rm = TRUE)) row_invalid(name, type, "a number beyond 2^53 is not exact; use bit64::as.integer64")
  int64_of_doubles(x + 0)
}

as_instants <- function(x, name, type) {
  if (!inherits(x, "POSIXt")) row_invalid(name, type, sprintf("it is %s, no POSIXct", class(x)[1]))
  seconds <- as.numeric(as.POSIXct(x))
  if (any(is.infinite(seconds) | seconds < SECONDS_MIN | seconds >= SECONDS_END, na.rm = TRUE)) row_invalid(name, type, "a year is not of 0000 to 9999")
  # A double of seconds holds a microsecond and not much more.
  if (any(abs(seconds * 1000 - round(seconds * 1000)) > 5e-3 & abs(seconds) < 2^36, na.rm = TRUE)) {
    fail("row-invalid", sprintf("The column \"%s\" has instants finer than a millisecond", name), "Round them: as.POSIXct(round(as.numeric(x), 3)).")
  }
  instants_of_ms(round(seconds * 1000))
}

instants_of_ms <- function(ms) .POSIXct(ms / 1000, "UTC")

ms_of_instants <- function(x) round(as.numeric(x) * 1000)

# The option `millrace.bit64 = FALSE` is for who would rather have doubles.
has_bit64 <- function() !isFALSE(getOption("millrace.bit64")) && requireNamespace("bit64", quietly = TRUE)

need_bit64 <- function(name) {
  if (has_bit64()) return(invisible())
  fail("bit64-needed", sprintf("The column \"%s\" has integers beyond 2^53, which a double does not hold", name), "Install bit64 (Debian: r-cran-bit64).")
}

# integer64 where bit64 is there, else doubles, which hold these exactly.
int64_of_doubles <- function(x) if (has_bit64()) bit64::as.integer64(x) else x

bit64_double <- function(x) {
  need_bit64("int64")
  as.double(x)
}

# Decimal digits, NA for NA.
int64_text <- function(x) {
  if (inherits(x, "integer64")) return(ifelse(is_null_int64(x), NA_character_, as.character(x)))
  ifelse(is.na(x), NA_character_, sprintf("%.0f", x))
}

is_null_int64 <- function(x) {
  if (inherits(x, "integer64")) need_bit64("int64") # Its methods say what NA is.
  is.na(x)
}

# Which values are null, of a column as as_column gives it.
is_null <- function(x) {
  if (is.list(x)) return(vapply(x, is.null, NA))
  is_null_int64(x)
}
