import { Migration } from '@mikro-orm/migrations';

/** The first schema: organisation, streams, dispatch and delivery. */
export class Migration20261120000001First extends Migration {
  override up(): void {
    this.addSql(`
      create table "activation" (
        "organisation" text not null,
        "id" text not null,
        "worker" text not null,
        "stream" text not null,
        "thread" text not null,
        "state" text not null default 'running',
        "runtime" text not null default '',
        "hops" int not null default 0,
        "origin" text not null,
        "failures" int not null default 0,
        "lost_leases" int not null default 0,
        "waiting_since" timestamptz null,
        "error" text null,
        "text" text not null default '',
        "cancel_requested_at" timestamptz null,
        "usage" jsonb null,
        "reply" text null,
        "created_at" timestamptz not null default now(),
        "ended_at" timestamptz null,
        primary key ("organisation", "id")
      )`);
    this.addSql(
      `create index "activation_organisation_worker_created_at_index" on "activation" ("organisation", "worker", "created_at")`,
    );
    this.addSql(
      `create index "activation_open_index" on activation (organisation, worker, thread) where state in ('running', 'waiting')`,
    );
    this.addSql(
      `alter table "activation" add constraint "activation_state_check" check ("state" in ('running', 'waiting', 'done', 'dead', 'cancelled'))`,
    );
    this.addSql(`
      create table "delivery" (
        "organisation" text not null,
        "id" text not null,
        "binding" text not null,
        "thread" text not null,
        "event" text null,
        "activation" text null,
        "position" int not null,
        "state" text not null default 'queued',
        "external_id" text null,
        "failures" int not null default 0,
        "lost_leases" int not null default 0,
        "waiting_since" timestamptz null,
        "error" text null,
        "created_at" timestamptz not null default now(),
        "delivered_at" timestamptz null,
        primary key ("organisation", "id")
      )`);
    this.addSql(`create index "delivery_organisation_event_index" on "delivery" ("organisation", "event")`);
    this.addSql(`create index "delivery_organisation_activation_index" on "delivery" ("organisation", "activation")`);
    this.addSql(
      `create index "delivery_open_index" on delivery (organisation, binding, thread, position) where state in ('draft', 'queued', 'sending', 'waiting')`,
    );
    this.addSql(
      `alter table "delivery" add constraint "delivery_state_check" check ("state" in ('draft', 'queued', 'sending', 'waiting', 'delivered', 'dead', 'cancelled'))`,
    );
    this.addSql(`
      create table "event" (
        "organisation" text not null,
        "id" text not null,
        "stream" text not null,
        "position" int not null,
        "thread" text not null,
        "author" text null,
        "source_kind" text not null,
        "hops" int not null default 0,
        "origin" text not null,
        "from" text not null default '',
        "to" jsonb not null default '[]',
        "subject" text not null default '',
        "body" text not null default '',
        "attachments" jsonb not null default '[]',
        "in_reply_to" text null,
        "message_id" text null,
        "extra" jsonb not null default '{}',
        "came_by" text null,
        "activation" text null,
        "created_at" timestamptz not null default now(),
        "edited_at" timestamptz null,
        "deleted_at" timestamptz null,
        "search" tsvector generated always as (to_tsvector('simple'::regconfig, ((subject || ' '::text) || "left"(body, 100000)))) stored,
        primary key ("organisation", "id")
      )`);
    this.addSql(
      `create index "event_organisation_thread_position_index" on "event" ("organisation", "thread", "position")`,
    );
    this.addSql(`create index "event_search_index" on "event" using gin ("search")`);
    this.addSql(
      `alter table "event" add constraint "event_organisation_stream_position_unique" unique ("organisation", "stream", "position")`,
    );
    this.addSql(
      `alter table "event" add constraint "event_source_kind_check" check ("source_kind" in ('human', 'ai', 'system', 'notice'))`,
    );
    this.addSql(`
      create table "installation" (
        "organisation" text not null,
        "id" text not null,
        "kind" text not null,
        "external_id" text not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(
      `alter table "installation" add constraint "installation_kind_external_id_unique" unique ("kind", "external_id")`,
    );
    this.addSql(`
      create table "lane" (
        "organisation" text not null,
        "kind" text not null,
        "owner" text not null,
        "thread" text not null,
        "ready_at" timestamptz null,
        "lease_until" timestamptz null,
        "fence" int not null default 0,
        "holder" text null,
        primary key ("organisation", "kind", "owner", "thread")
      )`);
    this.addSql(
      `create index "lane_ready_index" on lane (kind, organisation, owner, ready_at) where ready_at is not null`,
    );
    this.addSql(`alter table "lane" add constraint "lane_kind_check" check ("kind" in ('activation', 'delivery'))`);
    this.addSql(`
      create table "organisation" (
        "id" text not null,
        "name" text not null,
        "created_at" timestamptz not null default now(),
        primary key ("id")
      )`);
    this.addSql(`
      create table "pairing_code" (
        "organisation" text not null,
        "hash" text not null,
        "worker" text not null,
        "expires_at" timestamptz not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "hash")
      )`);
    this.addSql(`
      create table "participant" (
        "organisation" text not null,
        "thread" text not null,
        "worker" text not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "thread", "worker")
      )`);
    this.addSql(`create index "participant_organisation_worker_index" on "participant" ("organisation", "worker")`);
    this.addSql(`
      create table "receipt" (
        "organisation" text not null,
        "binding" text not null,
        "external_id" text not null,
        "event" text not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "binding", "external_id")
      )`);
    this.addSql(`create index "receipt_organisation_event_index" on "receipt" ("organisation", "event")`);
    this.addSql(`
      create table "role" (
        "organisation" text not null,
        "id" text not null,
        "title" text not null,
        "content" text not null,
        "created_at" timestamptz not null default now(),
        "updated_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(`
      create table "position" (
        "organisation" text not null,
        "id" text not null,
        "title" text not null,
        "role" text not null,
        "reports_to" text null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(`
      create table "setting" (
        "organisation" text not null,
        "key" text not null,
        "value" text not null,
        "updated_at" timestamptz not null default now(),
        primary key ("organisation", "key")
      )`);
    this.addSql(`
      create table "step" (
        "organisation" text not null,
        "activation" text not null,
        "number" int not null,
        "stream" text not null,
        "position" int not null,
        "kind" text not null,
        "content" jsonb not null,
        "usage" jsonb null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "activation", "number")
      )`);
    this.addSql(
      `alter table "step" add constraint "step_organisation_stream_position_unique" unique ("organisation", "stream", "position")`,
    );
    this.addSql(
      `alter table "step" add constraint "step_kind_check" check ("kind" in ('start', 'text', 'tool_call', 'tool_result', 'end'))`,
    );
    this.addSql(`
      create table "trigger" (
        "organisation" text not null,
        "event" text not null,
        "worker" text not null,
        "thread" text not null,
        "position" int not null,
        "state" text not null default 'waiting',
        "activation" text null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "event", "worker")
      )`);
    this.addSql(
      `create index "trigger_waiting_index" on trigger (organisation, worker, thread, position) where state = 'waiting'`,
    );
    this.addSql(`create index "trigger_organisation_activation_index" on "trigger" ("organisation", "activation")`);
    this.addSql(
      `alter table "trigger" add constraint "trigger_state_check" check ("state" in ('waiting', 'taken', 'done', 'cancelled', 'dead'))`,
    );
    this.addSql(`
      create table "worker" (
        "organisation" text not null,
        "id" text not null,
        "name" text not null,
        "kind" text not null,
        "position" text null,
        "identity" text not null default '',
        "concurrency" int not null default 4,
        "token_version" int not null default 1,
        "hired_by" text null,
        "dismissed_at" timestamptz null,
        "created_at" timestamptz not null default now(),
        "updated_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(`alter table "worker" add constraint "worker_kind_check" check ("kind" in ('human', 'ai'))`);
    this.addSql(`
      create table "stream" (
        "organisation" text not null,
        "id" text not null,
        "name" text not null,
        "description" text not null default '',
        "kind" text not null default 'channel',
        "default_worker" text null,
        "position" int not null default 0,
        "created_by" text null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(
      `alter table "stream" add constraint "stream_kind_check" check ("kind" in ('channel', 'mail', 'dm', 'activation'))`,
    );
    this.addSql(`
      create table "thread" (
        "organisation" text not null,
        "id" text not null,
        "stream" text not null,
        "subject" text not null default '',
        "muted_at" timestamptz null,
        "closed_at" timestamptz null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(`create index "thread_organisation_stream_index" on "thread" ("organisation", "stream")`);
    this.addSql(`
      create table "thread_binding" (
        "organisation" text not null,
        "binding" text not null,
        "external_id" text not null,
        "thread" text not null,
        primary key ("organisation", "binding", "external_id")
      )`);
    this.addSql(
      `create index "thread_binding_organisation_thread_index" on "thread_binding" ("organisation", "thread")`,
    );
    this.addSql(`
      create table "subscription" (
        "organisation" text not null,
        "worker" text not null,
        "stream" text not null,
        "mode" text not null default 'all',
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "worker", "stream")
      )`);
    this.addSql(`create index "subscription_organisation_stream_index" on "subscription" ("organisation", "stream")`);
    this.addSql(
      `alter table "subscription" add constraint "subscription_mode_check" check ("mode" in ('all', 'mentions'))`,
    );
    this.addSql(`
      create table "binding" (
        "organisation" text not null,
        "id" text not null,
        "stream" text not null,
        "kind" text not null,
        "external_id" text not null,
        "config" jsonb not null default '{}',
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "id")
      )`);
    this.addSql(`create index "binding_organisation_stream_index" on "binding" ("organisation", "stream")`);
    this.addSql(
      `alter table "binding" add constraint "binding_organisation_kind_external_id_unique" unique ("organisation", "kind", "external_id")`,
    );
    this.addSql(`
      create table "identity" (
        "organisation" text not null,
        "platform" text not null,
        "external_id" text not null,
        "worker" text not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "platform", "external_id")
      )`);
    this.addSql(`create index "identity_organisation_worker_index" on "identity" ("organisation", "worker")`);
    this.addSql(`
      create table "grant" (
        "organisation" text not null,
        "worker" text not null,
        "tool" text not null,
        "created_at" timestamptz not null default now(),
        primary key ("organisation", "worker", "tool")
      )`);
    this.addSql(
      `alter table "position" add constraint "position_organisation_role_foreign" foreign key ("organisation", "role") references "role" ("organisation", "id") on update cascade on delete restrict`,
    );
    this.addSql(
      `alter table "position" add constraint "position_organisation_reports_to_foreign" foreign key ("organisation", "reports_to") references "position" ("organisation", "id") on update cascade on delete restrict`,
    );
    this.addSql(
      `alter table "worker" add constraint "worker_organisation_position_foreign" foreign key ("organisation", "position") references "position" ("organisation", "id") on update cascade on delete restrict`,
    );
    this.addSql(
      `alter table "stream" add constraint "stream_organisation_default_worker_foreign" foreign key ("organisation", "default_worker") references "worker" ("organisation", "id") on update cascade on delete restrict`,
    );
    this.addSql(
      `alter table "thread" add constraint "thread_organisation_stream_foreign" foreign key ("organisation", "stream") references "stream" ("organisation", "id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "thread_binding" add constraint "thread_binding_organisation_thread_foreign" foreign key ("organisation", "thread") references "thread" ("organisation", "id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "subscription" add constraint "subscription_organisation_worker_foreign" foreign key ("organisation", "worker") references "worker" ("organisation", "id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "subscription" add constraint "subscription_organisation_stream_foreign" foreign key ("organisation", "stream") references "stream" ("organisation", "id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "binding" add constraint "binding_organisation_stream_foreign" foreign key ("organisation", "stream") references "stream" ("organisation", "id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "identity" add constraint "identity_organisation_worker_foreign" foreign key ("organisation", "worker") references "worker" ("organisation", "id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "grant" add constraint "grant_organisation_worker_foreign" foreign key ("organisation", "worker") references "worker" ("organisation", "id") on update cascade on delete cascade`,
    );
  }

  override down(): void {
    this.addSql('drop table if exists "delivery" cascade');
    this.addSql('drop table if exists "step" cascade');
    this.addSql('drop table if exists "activation" cascade');
    this.addSql('drop table if exists "trigger" cascade');
    this.addSql('drop table if exists "lane" cascade');
    this.addSql('drop table if exists "receipt" cascade');
    this.addSql('drop table if exists "event" cascade');
    this.addSql('drop table if exists "participant" cascade');
    this.addSql('drop table if exists "thread_binding" cascade');
    this.addSql('drop table if exists "thread" cascade');
    this.addSql('drop table if exists "subscription" cascade');
    this.addSql('drop table if exists "binding" cascade');
    this.addSql('drop table if exists "stream" cascade');
    this.addSql('drop table if exists "pairing_code" cascade');
    this.addSql('drop table if exists "setting" cascade');
    this.addSql('drop table if exists "grant" cascade');
    this.addSql('drop table if exists "identity" cascade');
    this.addSql('drop table if exists "worker" cascade');
    this.addSql('drop table if exists "position" cascade');
    this.addSql('drop table if exists "role" cascade');
    this.addSql('drop table if exists "installation" cascade');
    this.addSql('drop table if exists "organisation" cascade');
  }
}
