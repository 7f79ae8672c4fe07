//! Everything that goes over the wire: one file per tag, and the validated building blocks of requests.

mod access;
mod audit;
mod auth;
mod find;
mod fold;
mod group;
mod id;
mod invitation;
mod list;
mod nullable;
mod open_enum;
mod page;
mod profile;
mod reference;
mod role;
mod secret;
mod session;
mod system;
mod text;
mod time;
mod user;
mod username;

pub use access::{
    AccessCheck, AccessDecision, EffectivePermission, EffectivePermissions, PermissionListQuery,
};
pub use audit::{AuditEvent, AuditEventListQuery, AuditEventPage, AuditResult};
pub use auth::{
    CurrentSession, Login, LoginChangePassword, Logout, Register, SessionCreated, SessionReauthenticate,
};
pub use find::{
    FilterText, FilterTextRule, ListQuery, SearchText, SearchTextRule, SortText, SortTextRule, TotalKind,
};
pub use fold::{NameKey, fold, is_invisible};
pub use group::{
    Group, GroupCreate, GroupMember, GroupMemberAdd, GroupMemberPage, GroupMemberUpdate, GroupPage,
    GroupUpdate, UserGroup, UserGroupPage,
};
pub use id::{
    AuditEventId, AuditEventKind, GroupId, GroupKind, Id, IdKind, InvitationId, InvitationKind, RoleId,
    RoleKind, SessionId, SessionKind, UserId, UserKind,
};
pub use invitation::{Invitation, InvitationAccept, InvitationCreate, InvitationCreated, InvitationPage};
pub use list::{LIST_MAX, List};
pub use nullable::Nullable;
pub use page::{PAGE_DEFAULT, PAGE_MAX, PAGE_TOKEN_MAX, Page, PageLimit, PageQuery, PageToken};
pub use profile::{Address, AddressInput, AddressUpdate, Profile, ProfileInput, ProfileUpdate};
pub use reference::{
    GroupMemberPath, GroupPath, GroupRef, InvitationPath, RolePath, RoleRef, SessionPath, UserPath, UserRef,
    UserRolePath,
};
pub use role::{
    Role, RoleCreate, RoleDeleteQuery, RolePage, RoleScope, RoleScopeInput, RoleType, RoleTypeInput,
    RoleUpdate, UserRoles, UserRolesChanged,
};
pub use secret::{NewPassword, PASSWORD_MAX, PASSWORD_MIN_FLOOR, PasswordAttempt, Secret};
pub use session::{Session, SessionPage};
pub use system::{Health, Readiness, ServerVersion};
pub use text::{
    AddressText, AddressTextRule, Description, DescriptionRule, DisplayName, DisplayNameRule, Email,
    EmailRule, Identifier, IdentifierRule, PermissionName, PermissionNameRule, Phone, PhoneRule, ProfileText,
    ProfileTextRule, RoleName, RoleNameRule, Slug, SlugRule, Text, TextRule, Username, UsernameRule, WebUrl,
    WebUrlRule,
};
pub use time::TimeInput;
pub use user::{
    CreatedVia, CustomData, DOCUMENT_DEPTH_MAX, DOCUMENT_MAX, JsonObject, Preferences, User, UserCreate,
    UserListQuery, UserPage, UserPasswordChange, UserPasswordSet, UserPasswordVerify, UserSuspend,
    UserUpdate, UserView,
};
pub use username::username;
