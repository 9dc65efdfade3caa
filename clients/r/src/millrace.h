#ifndef MILLRACE_H
#define MILLRACE_H

#include <stdio.h>
#include <R.h>
#include <Rinternals.h>

/* R's side makes a condition of the code before the colon. */
#define refuse(what) Rf_error("part-differs: %s", what)

SEXP read_thrift(SEXP bytes, SEXP at);
SEXP read_csv(SEXP bytes, SEXP names);
SEXP read_doubles(SEXP texts);

#endif
