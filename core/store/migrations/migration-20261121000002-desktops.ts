import { Migration } from '@mikro-orm/migrations';

/** Desktops, the Hosts that run them, the links that show them, and the files that are made of them. */
export class Migration20261121000002Desktops extends Migration {
  override up(): void {
    this.addSql(`
      create table "host" (
        "id" text not null,
        "capacity" int not null,
        "drivers" jsonb not null,
        "encoders" jsonb not null,
        "link" text not null,
        "last_seen_at" timestamptz not null default now(),
        "created_at" timestamptz not null default now(),
        primary key ("id")
      )
    `);
    this.addSql(`
      create table "desktop" (
        "organisation" text not null,
        "id" text not null,
        "worker" text not null,
        "thread" text null,
        "home" text not null,
        "desired" text not null,
        "state" text not null,
        "detail" text not null default '',
        "generation" int not null default 0,
        "host" text null,
        "width" int not null,
        "height" int not null,
        "driver" text null,
        "viewers" int not null default 0,
        "controller" jsonb null,
        "person_did" jsonb not null default '[]',
        "help_thread" text null,
        "help_activation" text null,
        "started_at" timestamptz null,
        "last_used_at" timestamptz not null default now(),
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id"),
        constraint "desktop_desired_check" check ("desired" in ('running', 'stopped')),
        constraint "desktop_state_check" check ("state" in ('starting', 'running', 'stopped', 'failed'))
      )
    `);
    this.addSql(`create unique index "desktop_owner_unique" on desktop (organisation, worker, coalesce(thread, ''))`);
    this.addSql(`create index "desktop_host_index" on desktop (host) where desired = 'running'`);
    this.addSql(`
      create table "viewer_link" (
        "organisation" text not null,
        "jti" text not null,
        "desktop" text null,
        "mode" text not null,
        "subject" text null,
        "expires_at" timestamptz not null,
        "revoked_at" timestamptz null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "jti"),
        constraint "viewer_link_mode_check" check ("mode" in ('watch', 'control', 'wall'))
      )
    `);
    this.addSql(`create index "viewer_link_organisation_desktop_index" on "viewer_link" ("organisation", "desktop")`);
    this.addSql(`create index "viewer_link_expires_at_index" on "viewer_link" ("expires_at")`);
    this.addSql(`
      create table "signing_key" (
        "kid" text not null,
        "public_key" jsonb not null,
        "private_key" text not null,
        "created_at" timestamptz not null default now(),
        "retires_at" timestamptz not null,
        primary key ("kid")
      )
    `);
    this.addSql(`
      create unlogged table "dial" (
        "id" text not null,
        "organisation" text not null,
        "desktop" text not null,
        "host" text not null,
        "kind" text not null,
        "url" text not null,
        "person" jsonb null,
        "created_at" timestamptz not null default now(),
        primary key ("id"),
        constraint "dial_kind_check" check ("kind" in ('viewer', 'channel'))
      )
    `);
    this.addSql(`
      create table "file" (
        "organisation" text not null,
        "id" text not null,
        "thread" text not null,
        "name" text not null,
        "type" text not null,
        "data" bytea not null,
        "expires_at" timestamptz not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )
    `);
    this.addSql(`create index "file_expires_at_index" on "file" ("expires_at")`);
    this.addSql(
      `alter table "role" add "desktop" text not null default 'thread', add constraint "role_desktop_check" check ("desktop" in ('thread', 'worker'))`,
    );
  }

  override down(): void {
    this.addSql('alter table "role" drop column "desktop"');
    for (const table of ['file', 'dial', 'signing_key', 'viewer_link', 'desktop', 'host'])
      this.addSql(`drop table if exists "${table}" cascade`);
  }
}
