//! Everything that goes over the wire: one file per tag, and the validated building blocks of requests.

mod auth;
mod group;
mod id;
mod nullable;
mod open_enum;
mod page;
mod profile;
mod reference;
mod secret;
mod session;
mod system;
mod text;
mod user;

pub use auth::{
    CurrentSession, Login, LoginChangePassword, Logout, Register, SessionCreated, SessionReauthenticate,
};
pub use group::{Group, GroupMember, GroupMemberPage, GroupPage, UserGroup, UserGroupPage};
pub use id::{GroupId, GroupKind, Id, IdKind, SessionId, SessionKind, UserId, UserKind};
pub use nullable::Nullable;
pub use page::{PAGE_DEFAULT, PAGE_MAX, PAGE_TOKEN_MAX, Page, PageLimit, PageQuery, PageToken};
pub use profile::{Address, AddressInput, AddressUpdate, Profile, ProfileInput, ProfileUpdate};
pub use reference::{GroupPath, GroupRef, SessionPath, UserPath, UserRef};
pub use secret::{NewPassword, PASSWORD_MAX, PASSWORD_MIN_FLOOR, PasswordAttempt, Secret};
pub use session::{Session, SessionPage};
pub use system::{Health, Readiness, Version};
pub use text::{
    AddressText, AddressTextRule, DisplayName, DisplayNameRule, Email, EmailRule, Identifier, IdentifierRule,
    Phone, PhoneRule, ProfileText, ProfileTextRule, Text, TextRule, Username, UsernameRule, WebUrl,
    WebUrlRule, fold,
};
pub use user::{
    CreatedVia, CustomData, DOCUMENT_DEPTH_MAX, DOCUMENT_MAX, JsonObject, Preferences, User, UserCreate,
    UserPage, UserPasswordChange, UserPasswordSet, UserPasswordVerify, UserUpdate, UserView,
};
