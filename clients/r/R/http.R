# Requests to the catalogue over HTTP, and bytes by the URLs that it gives. Whatever may pass is tried again.

TRIES_MAX <- 4L
TIMEOUT_SECONDS <- 120
PARTS_AT_ONCE <- 16L

# Where the HTTP API is and who calls: an argument, MILLRACE_API, or the local cloud's endpoint, which serves all at one address.
connection_of <- function(endpoint = NULL, token = NULL) {
  endpoint <- first_of(endpoint, environment_text("MILLRACE_API"), environment_text("AWS_ENDPOINT_URL"))
  if (is.null(endpoint)) {
    fail("endpoint-unknown", "Where the HTTP API is has not been said", "Set MILLRACE_API to its URL, or give endpoint=.")
  }
  parts <- regmatches(endpoint, regexec("^(https?)://([^/?#]+)(/[^?#]*)?$", endpoint))[[1]]
  if (length(parts) == 0) fail("endpoint-invalid", sprintf("%s is no URL", endpoint), "Write it as https://host.")
  list(
    origin = paste0(parts[2], "://", parts[3]), host = parts[3], base = sub("/+$", "", parts[4]),
    token = first_of(token, environment_text("MILLRACE_TOKEN")), credentials = credentials_of(parts[3])
  )
}

credentials_of <- function(host) {
  access_key <- environment_text("AWS_ACCESS_KEY_ID")
  secret_key <- environment_text("AWS_SECRET_ACCESS_KEY")
  if (is.null(access_key) || is.null(secret_key)) return(NULL)
  named <- regmatches(host, regexec("\\.execute-api\\.([a-z0-9-]+)\\.amazonaws\\.", host))[[1]][2]
  region <- first_of(if (!is.na(named)) named, environment_text("AWS_REGION"), environment_text("AWS_DEFAULT_REGION"), "us-east-1")
  list(
    access_key = access_key, secret_key = secret_key, session_token = environment_text("AWS_SESSION_TOKEN"),
    region = region, service = "execute-api"
  )
}

# The answer's members. An answer of 400 and over is an error with the code and the next step of the catalogue.
call_catalog <- function(connection, method, path, query = list(), body = NULL) {
  query <- query[!vapply(query, is.null, NA)]
  bytes <- if (is.null(body)) raw() else charToRaw(enc2utf8(as.character(body)))
  path <- paste0(connection$base, "/catalog/tables", path)
  url <- paste0(connection$origin, path, if (length(query) > 0) "?", canonical_query(query))
  answer <- with_tries(function() {
    headers <- if (!is.null(connection$token)) {
      c(authorization = paste("Bearer", connection$token))
    } else if (!is.null(connection$credentials)) {
      request <- list(method = method, host = connection$host, path = path, query = query, body = bytes)
      sigv4_headers(request, connection$credentials, Sys.time())
    }
    send(method, url, c(headers, if (length(bytes) > 0) c("content-type" = "application/json")), bytes)
  })
  text <- as_utf8(answer$content)
  members <- tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE), error = function(error) NULL)
  if (answer$status_code < 300 && is.list(members)) return(members)
  refused(answer$status_code, members, sprintf("%s %s", method, path))
}

refused <- function(status, members, where) {
  code <- first_of(members$code, if (status %in% c(401, 403)) "not-allowed", paste0("http-", status))
  allowed <- "Give credentials of AWS (AWS_ACCESS_KEY_ID and the others) or a token (MILLRACE_TOKEN) that may call the HTTP API."
  next_step <- first_of(members[["next"]], if (status %in% c(401, 403)) allowed, "Check the endpoint; docs/catalog-http.md has the routes.")
  fail(code, first_of(members$detail, members$message, sprintf("%s answered %d", where, status)), next_step, status = status)
}

# All bytes of a part. They are not trusted yet.
get_bytes <- function(url) {
  answer <- with_tries(function() send("GET", url, NULL, raw()))
  if (answer$status_code == 200) return(answer$content)
  part_not_got(answer$status_code)
}

part_not_got <- function(status) {
  fail("part-not-got", sprintf("A part was answered with %d", status), PART_DIFFERS_NEXT, status = status)
}

# Side by side; what did not come is asked for again by itself.
get_all <- function(urls, again = get_bytes) {
  found <- vector("list", length(urls))
  keep <- function(index) function(answer) if (answer$status_code == 200) found[[index]] <<- answer$content
  pool <- same_pool()
  for (index in seq_along(urls)) {
    handle <- curl::new_handle(url = urls[[index]], connecttimeout = 10, timeout = TIMEOUT_SECONDS)
    curl::multi_add(handle, done = keep(index), fail = function(message) NULL, pool = pool)
  }
  curl::multi_run(pool = pool)
  lapply(seq_along(urls), function(index) if (is.null(found[[index]])) again(urls[[index]]) else found[[index]])
}

# A part that is there already is this very one if an answer was lost; the commit looks at its bytes in any case.
put_bytes <- function(upload, bytes) {
  headers <- unlist(upload$headers)
  headers <- headers[tolower(names(headers)) != "content-length"]
  answer <- with_tries(function() send("PUT", upload$url, headers, bytes))
  if (answer$status_code %in% c(200, 204, 412)) return(invisible())
  fail("part-not-put", sprintf("S3 answered %d to %s", answer$status_code, upload$name), "Store again: nothing has been committed.")
}

send <- function(method, url, headers, bytes) {
  handle <- same_handle()
  curl::handle_setopt(handle, customrequest = method, connecttimeout = 10, timeout = TIMEOUT_SECONDS, followlocation = FALSE)
  if (length(bytes) > 0 || method %in% c("PUT", "POST")) {
    curl::handle_setopt(handle, post = TRUE, postfieldsize_large = length(bytes), postfields = bytes)
  }
  curl::handle_setheaders(handle, .list = c(as.list(headers), list(Expect = "")))
  curl::curl_fetch_memory(url, handle)
}

# One handle for all keeps connections open: a part needs no handshake of its own.
same_handle <- function() {
  curl::handle_reset(kept()$handle)
  kept()$handle
}

same_pool <- function() kept()$pool

# A fork of R (parallel::mclapply) must not use the connections of its parent.
kept <- function() {
  if (!identical(KEPT$process, Sys.getpid())) {
    KEPT$handle <- curl::new_handle()
    KEPT$pool <- curl::new_pool(total_con = PARTS_AT_ONCE, host_con = PARTS_AT_ONCE)
    KEPT$process <- Sys.getpid()
  }
  KEPT
}

KEPT <- new.env(parent = emptyenv())

# Once more where no answer came, or one that says that it will pass.
with_tries <- function(try_once, wait = Sys.sleep) {
  for (try in seq_len(TRIES_MAX)) {
    answer <- tryCatch(try_once(), error = function(error) error)
    is_last <- try == TRIES_MAX
    if (inherits(answer, "error")) {
      if (is_last) fail("no-answer", conditionMessage(answer), "Check the endpoint and the network.")
    } else if (is_last || !answer$status_code %in% c(429, 500, 502, 503, 504)) {
      return(answer)
    }
    wait(0.2 * 4^(try - 1))
  }
}

environment_text <- function(name) {
  text <- Sys.getenv(name)
  if (nzchar(text)) text
}

first_of <- function(...) {
  for (each in list(...)) if (!is.null(each)) return(each)
}

as_utf8 <- function(bytes) {
  text <- rawToChar(bytes)
  Encoding(text) <- "UTF-8"
  text
}
