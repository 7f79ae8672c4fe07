//! Request extractors. Dropshot's own extractors return 400 without an error code, accept an array for a struct, and use the
//! last of two equal headers. These produce the same document and validate strictly.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use dropshot::{
    ApiEndpointBodyContentType, Body, ExclusiveExtractor, ExtensionMode, ExtractorMetadata, Header,
    HttpError, Path, Query, RequestContext, RequestInfo, ServerContext, SharedExtractor, TypedBody,
};
use http::HeaderName;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::error::{
    AMBIGUOUS_CREDENTIALS, BODY_TOO_LARGE, INVALID_REQUEST, REQUEST_TIMEOUT, UNAUTHENTICATED,
    UNSUPPORTED_MEDIA_TYPE,
};

/// Timeout for receiving a request body; a slower one gets a 408. Dropshot itself would wait forever.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Path parameters. Invalid ones get a 400.
#[derive(Debug)]
pub struct PathParams<T>(pub T);

#[async_trait]
impl<T: DeserializeOwned + JsonSchema + Send + Sync + 'static> SharedExtractor for PathParams<T> {
    async fn from_request<C: ServerContext>(rqctx: &RequestContext<C>) -> Result<Self, HttpError> {
        match <Path<T> as SharedExtractor>::from_request(rqctx).await {
            Ok(path) => Ok(Self(path.into_inner())),
            Err(error) => Err(INVALID_REQUEST.with(error.external_message)),
        }
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <Path<T> as SharedExtractor>::metadata(content)
    }
}

/// Query parameters. Their types derive `deny_unknown_fields`, so a misspelt parameter gets a 400.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

#[async_trait]
impl<T: DeserializeOwned + JsonSchema + Send + Sync + 'static> SharedExtractor for QueryParams<T> {
    async fn from_request<C: ServerContext>(rqctx: &RequestContext<C>) -> Result<Self, HttpError> {
        let raw = rqctx.request.uri().query().unwrap_or_default();
        crate::query_string::parse(raw).map(Self).map_err(|rule| INVALID_REQUEST.with(rule))
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <Query<T> as SharedExtractor>::metadata(content)
    }
}

/// The bearer token of a request (RFC 6750, section 2.1), not yet looked up. A request without one gets a 401 before its body
/// is read; one with several gets a 400. Tokens in query strings are ignored.
pub struct Bearer(String);

impl Bearer {
    /// The token as sent.
    pub fn token(&self) -> &str {
        &self.0
    }

    fn read(request: &RequestInfo) -> Result<Self, HttpError> {
        let Some(value) = only_header(request, &AUTHORIZATION, || AMBIGUOUS_CREDENTIALS)? else {
            return Err(UNAUTHENTICATED.with("send `Authorization: Bearer <token>`"));
        };
        match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                if token.contains(',') || token.trim().contains(' ') {
                    return Err(AMBIGUOUS_CREDENTIALS.with("Authorization: send exactly one bearer token"));
                }
                Ok(Self(token.trim().to_owned()))
            }
            _ => Err(UNAUTHENTICATED.with("send `Authorization: Bearer <token>`")),
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bearer(…)")
    }
}

#[async_trait]
impl SharedExtractor for Bearer {
    async fn from_request<C: ServerContext>(rqctx: &RequestContext<C>) -> Result<Self, HttpError> {
        Self::read(&rqctx.request)
    }

    fn metadata(_: ApiEndpointBodyContentType) -> ExtractorMetadata {
        ExtractorMetadata { extension_mode: ExtensionMode::None, parameters: vec![] }
    }
}

/// Entity tags of a conditional request (RFC 9110, section 8.8.3), or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any current representation.
    Any,
    /// The listed tags, at most 10.
    Listed(Vec<Tag>),
}

/// One entity tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The text between the quotes, at most 64 characters.
    pub opaque: String,
    /// True for a weak tag, sent as `W/"…"`.
    pub weak: bool,
}

impl Tags {
    /// Parses a header's value; the error completes the sentence "If-Match …".
    pub fn parse(value: &str) -> Result<Self, String> {
        if value.trim() == "*" {
            return Ok(Self::Any);
        }
        let malformed =
            || "must be `*` or a list of quoted entity tags such as \"kzyI7mU0Vh6Xn3ZJq1Ys5w\"".to_owned();
        let mut tags = Vec::new();
        let mut rest = value.trim();
        loop {
            let (weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            // Commas are also allowed between the quotes.
            let (opaque, after) =
                quoted.strip_prefix('"').and_then(|inner| inner.split_once('"')).ok_or_else(malformed)?;
            if opaque.len() > 64 || !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(malformed());
            }
            tags.push(Tag { opaque: opaque.to_owned(), weak });
            match after.trim_start().strip_prefix(',') {
                Some(more) => rest = more.trim_start(),
                None if after.trim().is_empty() => break,
                None => return Err(malformed()),
            }
        }
        if tags.len() > 10 {
            Err("must not list more than 10 entity tags".to_owned())
        } else {
            Ok(Self::Listed(tags))
        }
    }
}

/// The headers' parameters in the document.
mod documented {
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    pub struct IfMatch {
        /// Process the request only if the resource still has one of these entity tags (RFC 9110, section 13.1.1);
        /// otherwise return 412 with the current tag. Strong comparison.
        #[serde(rename = "if-match")]
        #[schemars(regex(pattern = r#"^(\*|(W/)?"[!#-~]{0,64}"(, ?(W/)?"[!#-~]{0,64}"){0,9})$"#))]
        _value: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    pub struct IfNoneMatch {
        /// Return 304 without a body if the resource still has one of these entity tags (RFC 9110, section 13.1.2).
        /// Weak comparison.
        #[serde(rename = "if-none-match")]
        #[schemars(regex(pattern = r#"^(\*|(W/)?"[!#-~]{0,64}"(, ?(W/)?"[!#-~]{0,64}"){0,9})$"#))]
        _value: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    pub struct IdempotencyKey {
        /// Makes retries safe: for 24 hours, a request with the same key and body gets the response of the first request,
        /// with `Idempotency-Replayed: true`. With another body, or once the created resource is gone, it gets a 409. Bound
        /// to the caller. A fresh UUID is a good choice. 1 to 255 visible ASCII characters.
        #[serde(rename = "idempotency-key")]
        #[schemars(regex(pattern = r"^[!-~]{1,255}$"))]
        _value: Option<String>,
    }
}

/// The `If-Match` header, at most once.
#[derive(Clone, Debug)]
pub struct IfMatch(pub Option<Tags>);

/// The `If-None-Match` header, at most once.
#[derive(Clone, Debug)]
pub struct IfNoneMatch(pub Option<Tags>);

/// The `Idempotency-Key` header, at most once, with 1 to 255 visible ASCII characters.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub Option<String>);

#[async_trait]
impl SharedExtractor for IfMatch {
    async fn from_request<C: ServerContext>(rqctx: &RequestContext<C>) -> Result<Self, HttpError> {
        tags(&rqctx.request, &IF_MATCH).map(Self)
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <Header<documented::IfMatch> as SharedExtractor>::metadata(content)
    }
}

#[async_trait]
impl SharedExtractor for IfNoneMatch {
    async fn from_request<C: ServerContext>(rqctx: &RequestContext<C>) -> Result<Self, HttpError> {
        tags(&rqctx.request, &IF_NONE_MATCH).map(Self)
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <Header<documented::IfNoneMatch> as SharedExtractor>::metadata(content)
    }
}

#[async_trait]
impl SharedExtractor for IdempotencyKey {
    async fn from_request<C: ServerContext>(rqctx: &RequestContext<C>) -> Result<Self, HttpError> {
        const NAME: HeaderName = HeaderName::from_static("idempotency-key");
        let value = only_header(&rqctx.request, &NAME, || INVALID_REQUEST)?;
        match value {
            Some(key)
                if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Err(INVALID_REQUEST.with("idempotency-key: must have 1 to 255 visible ASCII characters"))
            }
            other => Ok(Self(other.map(str::to_owned))),
        }
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <Header<documented::IdempotencyKey> as SharedExtractor>::metadata(content)
    }
}

fn tags(request: &RequestInfo, name: &HeaderName) -> Result<Option<Tags>, HttpError> {
    only_header(request, name, || INVALID_REQUEST)?
        .map(|value| Tags::parse(value).map_err(|rule| INVALID_REQUEST.with(format!("{name}: {rule}"))))
        .transpose()
}

fn only_header<'a>(
    request: &'a RequestInfo,
    name: &HeaderName,
    twice: impl Fn() -> crate::error::ErrorCode,
) -> Result<Option<&'a str>, HttpError> {
    let mut values = request.headers().get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(twice().with(format!("{name}: must be sent once")));
    }
    first.to_str().map(Some).map_err(|_| INVALID_REQUEST.with(format!("{name}: must be visible ASCII")))
}

/// A JSON object as the request body. Fails with 400, 408, 413 or 415.
#[derive(Debug)]
pub struct JsonBody<T> {
    /// The body.
    pub value: T,
    /// The bytes as sent, to distinguish a retry from another request with the same idempotency key.
    pub raw: Vec<u8>,
}

#[async_trait]
impl<T: DeserializeOwned + JsonSchema + Send + Sync + 'static> ExclusiveExtractor for JsonBody<T> {
    async fn from_request<C: ServerContext>(
        rqctx: &RequestContext<C>,
        request: hyper::Request<Body>,
    ) -> Result<Self, HttpError> {
        let (parts, body) = request.into_parts();
        check_length(&parts.headers, rqctx.request_body_max_bytes())?;
        check_content_type(&parts.headers)?;
        let raw = collect(body, rqctx.request_body_max_bytes()).await?;
        let value = parse(&raw).map_err(|rule| INVALID_REQUEST.with(rule))?;
        Ok(Self { value, raw })
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <TypedBody<T> as ExclusiveExtractor>::metadata(content)
    }
}

/// A JSON object as the request body, or no body, which means the same as `{}`. For operations whose body has no required
/// fields; the document has `required: false` for it.
#[derive(Debug)]
pub struct OptionalBody<T>(pub JsonBody<T>);

#[async_trait]
impl<T: DeserializeOwned + JsonSchema + Send + Sync + 'static> ExclusiveExtractor for OptionalBody<T> {
    async fn from_request<C: ServerContext>(
        rqctx: &RequestContext<C>,
        request: hyper::Request<Body>,
    ) -> Result<Self, HttpError> {
        let (parts, body) = request.into_parts();
        check_length(&parts.headers, rqctx.request_body_max_bytes())?;
        let mut raw = collect(body, rqctx.request_body_max_bytes()).await?;
        // The content type of an empty body is ignored: client libraries send various ones.
        if raw.is_empty() {
            raw = b"{}".to_vec();
        } else {
            check_content_type(&parts.headers)?;
        }
        let value = parse(&raw).map_err(|rule| INVALID_REQUEST.with(rule))?;
        Ok(Self(JsonBody { value, raw }))
    }

    fn metadata(content: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <TypedBody<T> as ExclusiveExtractor>::metadata(content)
    }
}

fn too_large(limit: usize) -> HttpError {
    BODY_TOO_LARGE.with(format!("the body must not be larger than {limit} bytes"))
}

/// Rejects a body with a `Content-Length` above the limit before reading any of it.
fn check_length(headers: &http::HeaderMap, limit: usize) -> Result<(), HttpError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) { Err(too_large(limit)) } else { Ok(()) }
}

/// Reads the whole body, within the limits of size and time.
async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, HttpError> {
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Err(_) => Err(REQUEST_TIMEOUT.with("the body did not arrive within 10 seconds")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(INVALID_REQUEST.with("the body ended early; send it completely")),
        Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
    }
}

fn check_content_type(headers: &http::HeaderMap) -> Result<(), HttpError> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = sent.split(';').next().unwrap_or("").trim();
    if media.eq_ignore_ascii_case("application/json")
        || media.eq_ignore_ascii_case("application/merge-patch+json")
    {
        return Ok(());
    }
    Err(UNSUPPORTED_MEDIA_TYPE.with("content-type: must be application/json"))
}

/// Parses a JSON object without NUL characters; the error names the field and the rule.
pub fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, String> {
    let first = raw.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err("the body must be a JSON object".to_owned());
    }
    // JSON has no raw control characters, so NUL can only appear as an escape; the check runs only if there is one.
    if raw.windows(6).any(|window| window == br"\u0000") {
        let value = serde_json::from_slice(raw).map_err(|error| format!("the body is not JSON: {error}"))?;
        if let Some(place) = nul_in(&value, "") {
            return Err(format!("{place}: must not contain the NUL character"));
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| describe(&error))?;
    deserializer.end().map_err(|_| "the body must end after the JSON object".to_owned())?;
    Ok(value)
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let rule = error.inner().to_string();
    // Line and column mean nothing to a caller whose library serialized the body.
    let rule = rule.rsplit_once(" at line ").map_or(rule.as_str(), |(rule, _)| rule);
    match (error.inner().classify(), path.as_str()) {
        (serde_json::error::Category::Data, "" | ".") => rule.to_owned(),
        (serde_json::error::Category::Data, path) => format!("{path}: {rule}"),
        _ => format!("the body is not JSON: {}", error.inner()),
    }
}

/// Returns the path of the first string or member name with NUL, if there is one.
fn nul_in(value: &serde_json::Value, path: &str) -> Option<String> {
    use serde_json::Value;
    let child = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) if text.contains('\0') => Some(path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| nul_in(item, &child(&index.to_string())))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') { Some(child("(a name)")) } else { nul_in(member, &child(name)) }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        name: Option<crate::types::DisplayName>,
        #[serde(default)]
        data: serde_json::Value,
    }

    #[test]
    fn bodies_are_objects_with_known_fields_and_no_nul() {
        let rejected = |raw: &str| parse::<Sample>(raw.as_bytes()).unwrap_err();
        assert_eq!(rejected(r#"["x"]"#), "the body must be a JSON object");
        assert!(rejected("").contains("JSON object"));
        assert!(rejected(r#"{"nome": 1}"#).contains("unknown field `nome`"));
        let empty = rejected(r#"{"name": ""}"#);
        assert!(empty.starts_with("name: must contain a visible character"), "{empty}");
        assert!(empty.ends_with("and have 1 to 128 characters, has 0"), "{empty}");
        assert!(rejected(r#"{"name": 7}"#).starts_with("name: invalid type"));
        assert!(rejected(r#"{"name": "a\u0000b"}"#).contains("NUL"));
        assert!(rejected(r#"{"data": {"a": ["\u0000"]}}"#).contains("data.a.0"));
        assert!(rejected(r#"{"name": "a"} x"#).contains("end after"));
        assert!(rejected(r#"{"name": "a", "name": "b"}"#).contains("duplicate field"));
        let deep = format!(r#"{{"data": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(rejected(&deep).contains("recursion limit"));
        let fine: Sample = parse(br#"{"data": "\\u0000"}"#).unwrap();
        assert_eq!(fine.data, "\\u0000");
        assert!(fine.name.is_none());
    }

    #[test]
    fn structures_inside_a_body_are_objects_too() {
        let rejected = |raw: &str| parse::<crate::types::UserUpdate>(raw.as_bytes()).unwrap_err();
        assert!(rejected(r#"{"profile": ["Ada"]}"#).starts_with("profile: invalid type: sequence"));
        assert!(
            rejected(r#"{"profile": {"address": [null, null]}}"#)
                .starts_with("profile.address: invalid type")
        );
        assert!(rejected(r#"{"profile": {"address": {"city": "x"}}}"#).contains("unknown field `city`"));
        let cleared: crate::types::UserUpdate = parse(br#"{"profile": {"address": null}}"#).unwrap();
        let Some(crate::types::Nullable(Some(profile))) = cleared.profile else { panic!("a profile") };
        assert_eq!(profile.address, Some(crate::types::Nullable(None)));
    }

    #[test]
    fn entity_tags_are_lists_of_quoted_strings() {
        assert_eq!(Tags::parse("*"), Ok(Tags::Any));
        let Ok(Tags::Listed(tags)) = Tags::parse(r#""3", W/"4-full""#) else { panic!("a list") };
        assert_eq!(tags[1], Tag { opaque: "4-full".to_owned(), weak: true });
        assert!(
            matches!(Tags::parse("\"a,b\" ,W/\"\""), Ok(Tags::Listed(tags)) if tags[0].opaque == "a,b" && tags[1].weak)
        );
        for bad in ["\"3\",", "3", "\"3", "", "\"a b\"", "W/3", "\"3\" \"4\""] {
            assert!(Tags::parse(bad).is_err(), "{bad}");
        }
    }
}
