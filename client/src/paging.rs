//! Lists as streams: page after page, until there is no next one.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::error::Error;
use crate::generated::builder;
use crate::{ResponseValue, types};

/// A page of a list.
pub trait Page: Send + 'static {
    /// What the list holds.
    type Item: Send + 'static;

    /// The items, and the token of the next page.
    fn split(self) -> (Vec<Self::Item>, Option<String>);
}

/// A list operation, which can be walked over as a whole.
pub trait Paged<'a>: Sized {
    /// What the list holds.
    type Item;

    /// Every item from the page on that the request names; pages are fetched as they are needed. The first error ends it.
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

/// The items of a list, page after page. It is a [`Stream`], and can be used without that trait.
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

/// Walks over the pages that `fetch` gets: first without a token, then with that of the page before. Every request must
/// have the same other parameters, because tokens are bound to them. [`Paged::stream`] does this for each list operation.
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

macro_rules! pages {
    ($($page:ident of $item:ident),* $(,)?) => {$(
        impl Page for types::$page {
            type Item = types::$item;

            fn split(self) -> (Vec<types::$item>, Option<String>) {
                (self.items, self.next_page)
            }
        }
    )*};
}

macro_rules! lists {
    ($($list:ident of $item:ident),* $(,)?) => {
        /// The list operations, as the generated builders are called. A test compares them with the document.
        #[cfg(test)]
        const LISTS: &[&str] = &[$(stringify!($list)),*];

        $(impl<'a> Paged<'a> for builder::$list<'a> {
            type Item = types::$item;

            fn stream(self) -> Items<'a, types::$item> {
                paginate(move |token| {
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

pages!(UserPage of User, SessionPage of Session, GroupPage of Group, GroupMemberPage of GroupMember, UserGroupPage of UserGroup,
    RolePage of Role, InvitationPage of Invitation, AuditEventPage of AuditEvent);
lists!(
    UserList of User,
    UserSessionList of Session,
    GroupList of Group,
    GroupMemberList of GroupMember,
    UserGroupList of UserGroup,
    RoleList of Role,
    UserRoleList of Role,
    GroupInvitationList of Invitation,
    AuditEventList of AuditEvent,
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::LISTS;

    #[test]
    fn every_list_operation_can_be_streamed() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../../openapi/rollcall.json")).unwrap();
        let mut lists = BTreeSet::new();
        for operation in document["paths"].as_object().unwrap().values().filter_map(|item| item.get("get")) {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            if parameters.iter().any(|parameter| parameter["name"] == "page_token") {
                let id = operation["operationId"].as_str().unwrap();
                lists.insert(id.replace('_', ""));
            }
        }
        assert_eq!(lists, LISTS.iter().map(|list| list.to_lowercase()).collect());
    }
}
