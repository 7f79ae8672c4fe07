//! Lists as streams over all of their pages.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::ResponseValue;
use crate::error::Error;

/// A page of a list.
pub trait Page: Send + 'static {
    /// Type of the items.
    type Item: Send + 'static;

    /// Splits the page into its items and the token of the next page.
    fn split(self) -> (Vec<Self::Item>, Option<String>);
}

/// A list operation whose pages can be streamed.
pub trait Paged<'a>: Sized {
    /// Type of the items.
    type Item;

    /// Streams all items, starting at the page that the request names. Pages are fetched on demand. The first error ends the
    /// stream.
    ///
    /// ```no_run
    /// # async fn example(session: rollcall_client::Session) -> Result<(), rollcall_client::Error> {
    /// use rollcall_client::Paged;
    ///
    /// let groups = session.user_group_list().user("me").stream().collect().await?;
    /// println!("a member of {} groups", groups.len());
    /// # Ok(())
    /// # }
    /// ```
    fn stream(self) -> Items<'a, Self::Item>;
}

/// The items of a list over all pages. It is a [`Stream`], and can be used without that trait.
pub struct Items<'a, T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send + 'a>>);

impl<T> Items<'_, T> {
    /// The next item; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.0.next().await
    }

    /// All remaining items at once.
    pub async fn collect(self) -> Result<Vec<T>, Error> {
        self.0.try_collect().await
    }
}

impl<T> Stream for Items<'_, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Items<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Items(…)")
    }
}

/// Streams the items of the pages that `fetch` returns: first without a token, then with that of the page before. All
/// requests must have the same other parameters, because tokens are bound to them. [`Paged::stream`] does this for each list
/// operation.
pub fn paginate<'a, P, F, A>(fetch: F) -> Items<'a, P::Item>
where
    P: Page,
    F: FnMut(Option<String>) -> A + Send + 'a,
    A: Future<Output = Result<ResponseValue<P>, Error>> + Send + 'a,
{
    enum Next {
        Page(Option<String>),
        End,
    }
    let pages = stream::try_unfold((fetch, Next::Page(None)), |(mut fetch, next)| async move {
        let Next::Page(token) = next else { return Ok::<_, Error>(None) };
        let (items, token) = fetch(token).await?.into_inner().split();
        let next = token.map_or(Next::End, |token| Next::Page(Some(token)));
        Ok(Some((items, (fetch, next))))
    });
    Items(Box::pin(pages.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten()))
}

/// Implements [`Page`] for each page type and [`Paged`] for each list operation; `values.rs` calls it with all of them.
macro_rules! lists {
    (pages: $($page:ident of $item:ident),*; lists: $($list:ident of $listed:ident),*) => {
        $(impl crate::paging::Page for crate::types::$page {
            type Item = crate::types::$item;

            fn split(self) -> (Vec<crate::types::$item>, Option<String>) {
                (self.items, self.next_page)
            }
        })*
        $(impl<'a> crate::paging::Paged<'a> for crate::generated::builder::$list<'a> {
            type Item = crate::types::$listed;

            fn stream(self) -> crate::paging::Items<'a, crate::types::$listed> {
                crate::paging::paginate(move |token| {
                    let request = self.clone();
                    match token {
                        Some(token) => request.page_token(token),
                        None => request,
                    }
                    .send()
                })
            }
        })*
    };
}
pub(crate) use lists;
