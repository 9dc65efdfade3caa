# Signatures of AWS (version 4) for the IAM authorizer of an HTTP API. Our own, as libcurl before 8 signs other queries than API Gateway.

# `at`: an instant. `query`: named texts, not yet encoded. Gives the headers to send.
sigv4_headers <- function(request, credentials, at) {
  stamp <- format(at, "%Y%m%dT%H%M%SZ", tz = "UTC")
  scope <- paste(substr(stamp, 1, 8), credentials$region, credentials$service, "aws4_request", sep = "/")
  headers <- c(host = request$host, "x-amz-date" = stamp)
  if (!is.null(credentials$session_token)) headers[["x-amz-security-token"]] <- credentials$session_token
  headers <- headers[order(names(headers), method = "radix")]
  signed <- paste(names(headers), collapse = ";")
  canonical <- paste(c(
    request$method, request$path, canonical_query(request$query), paste0(names(headers), ":", headers), "", signed, hex_sha256(request$body)
  ), collapse = "\n")
  to_sign <- paste("AWS4-HMAC-SHA256", stamp, scope, hex_sha256(charToRaw(canonical)), sep = "\n")
  key <- charToRaw(paste0("AWS4", credentials$secret_key))
  for (each in strsplit(scope, "/", fixed = TRUE)[[1]]) key <- hmac(each, key)
  signature <- paste(as.character(hmac(to_sign, key)), collapse = "")
  authorization <- sprintf(
    "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", credentials$access_key, scope, signed, signature
  )
  c(headers[names(headers) != "host"], authorization = authorization)
}

canonical_query <- function(query) {
  if (length(query) == 0) return("")
  pairs <- paste0(escape(names(query)), "=", escape(unlist(query)))
  paste(sort(pairs, method = "radix"), collapse = "&")
}

escape <- function(text) vapply(enc2utf8(as.character(text)), curl::curl_escape, "", USE.NAMES = FALSE)

hmac <- function(text, key) unclass_hash(openssl::sha256(charToRaw(text), key = key))

hex_sha256 <- function(bytes) paste(as.character(unclass_hash(openssl::sha256(bytes))), collapse = "")

unclass_hash <- function(hash) as.raw(unclass(hash))
