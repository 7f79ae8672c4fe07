"""A Python program written against the client that is generated from the published document.

mypy checks it and it is imported, but not run against a server: changes of the document that break such a
program fail here.
"""

import importlib
import pkgutil
from collections.abc import Iterator

import rollcall
from rollcall import AuthenticatedClient, Client
from rollcall.api.auth import login, logout
from rollcall.api.groups import group_create, group_invitation_create
from rollcall.api.passwords import user_password_set
from rollcall.api.roles import role_create
from rollcall.api.system import system_version
from rollcall.api.users import user_create, user_list, user_suspend, user_update, user_view
from rollcall.models import (
    ApiError,
    GroupCreate,
    Login,
    RoleCreate,
    ServerVersion,
    SessionCreated,
    TotalKind,
    User,
    UserCreate,
    UserPage,
    UserPasswordSet,
    UserUpdate,
)
from rollcall.types import UNSET, Unset


class Failed(Exception):
    def __init__(self, reason: ApiError) -> None:
        super().__init__(f"{reason.error_code or 'no code'}: {reason.message} ({reason.request_id})")


def sign_in(url: str, identifier: str, password: str) -> AuthenticatedClient:
    created = login.sync(client=Client(url), body=Login(identifier=identifier, password=password))
    if not isinstance(created, SessionCreated):
        raise Failed(created) if created else RuntimeError("no session")
    return AuthenticatedClient(url, token=created.token)


def without_defaults(client: AuthenticatedClient, user: str) -> None:
    """Fields with a default may be omitted, and so may a body whose fields are all optional."""
    user_create.sync(client=client, body=UserCreate(username="ada"))
    group_create.sync(client=client, body=GroupCreate(slug="engine", name="Engine"))
    role_create.sync(client=client, body=RoleCreate(name="editor"))
    user_password_set.sync(user, client=client, body=UserPasswordSet(password="plum lantern over rivers"))
    user_suspend.sync(user, client=client)
    group_invitation_create.sync("@engine", client=client)
    logout.sync_detailed(client=client)


def update(client: AuthenticatedClient, user: str) -> User:
    """The three states of a field in an update, and a conditional request."""
    before = user_view.sync_detailed(user, client=client)
    changes = UserUpdate(name="Ada King", phone=None, email=UNSET)
    after = user_update.sync(user, client=client, body=changes, if_match=before.headers["ETag"])
    if not isinstance(after, User):
        raise Failed(after) if after else RuntimeError("no user")
    return after


def create_once(client: AuthenticatedClient, username: str, key: str) -> ApiError | User | None:
    return user_create.sync(client=client, body=UserCreate(username=username), idempotency_key=key)


def everybody(client: AuthenticatedClient, search: str) -> Iterator[User]:
    token: str | Unset = UNSET
    while True:
        page = user_list.sync(client=client, q=search, limit=100, total=TotalKind.ESTIMATE, page_token=token)
        if not isinstance(page, UserPage):
            raise Failed(page) if page else RuntimeError("no page")
        yield from page.items
        if not page.next_page:
            return
        token = page.next_page


def versions(client: Client) -> ServerVersion | None:
    found = system_version.sync(client=client)
    return found if isinstance(found, ServerVersion) else None


def kind(user: User) -> str:
    """Open sets are plain strings, so that unknown values of a newer server can be read."""
    return "a card" if user.view == "card" else user.created_via or "unknown"


def check() -> None:
    """Every module of the client can be imported, and an absent field differs from a cleared one."""
    for module in pkgutil.walk_packages(rollcall.__path__, "rollcall."):
        importlib.import_module(module.name)
    assert UserUpdate(name="Ada", phone=None).to_dict() == {"name": "Ada", "phone": None}
    assert UserCreate(username="ada").to_dict() == {"username": "ada"}
    ada = User.from_dict({"id": "01941f29-7c00-7000-8000-000000000001", "view": "of tomorrow", "new": 1})
    assert ada.view == "of tomorrow" and ada.additional_properties == {"new": 1}


if __name__ == "__main__":
    check()
