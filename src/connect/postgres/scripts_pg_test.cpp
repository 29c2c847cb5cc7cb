// The scripts take everything away and bring it back: what pg_dump says of the schema is the same
// byte for byte.
#include <cstdio>
#include <cstdlib>

#include "connect/postgres/pg_test_support.h"

namespace wherry::postgres::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Scripts : public PostgresTest {
 protected:
  std::string dump() {
    ::setenv("PGPASSWORD", cluster().password().c_str(), 1);
    const std::string command = "pg_dump -s '" + cluster().url(database_) + "' 2>&1";
    std::string out;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    char piece[4096];
    for (std::size_t got = 0; (got = std::fread(piece, 1, sizeof piece, pipe)) != 0;) {
      out.append(piece, got);
    }
    EXPECT_EQ(::pclose(pipe), 0) << out;
    // Newer versions of pg_dump fence the text with a word that is made up each time.
    for (const std::string_view fence : {"\n\\restrict ", "\n\\unrestrict "}) {
      const std::size_t at = out.find(fence);
      if (at != std::string::npos) out.erase(at, out.find('\n', at + 1) - at);
    }
    return out;
  }
  connect::TargetScripts scripts(const connect::ScriptOptions& options = {}) {
    auto written = loader()->write_scripts(context_, options);
    EXPECT_TRUE(written.ok()) << written.error().to_paragraph();
    return std::move(*written);
  }
};

constexpr const char* kEverything = R"(
create extension btree_gist schema public;
create schema app; create schema "Odd ""Name";
create table app.parents (id integer primary key, code text not null, part integer not null,
  constraint parents_code unique (code) with (fillfactor = 70),
  unique (part, code) deferrable initially deferred);
comment on constraint parents_code on app.parents is 'it''s a code\';
create table "Odd ""Name"."Kids 'n" ("Id" integer primary key, parent integer, code text,
  during tsrange, room integer, doc jsonb, note text,
  constraint no_overlap exclude using gist (room with =, during with &&) with (fillfactor = 80)
    where (room > 0) deferrable initially immediate,
  constraint "Fk 1" foreign key (parent) references app.parents on update cascade
    on delete set null deferrable initially deferred,
  constraint fk_code foreign key (code) references app.parents (code) match full not valid);
comment on constraint "Fk 1" on "Odd ""Name"."Kids 'n" is 'first';
create index "I x" on "Odd ""Name"."Kids 'n" using gin (doc jsonb_path_ops) with (fastupdate = off);
create index by_expr on "Odd ""Name"."Kids 'n" (lower(note) collate "C" desc nulls last, (room + 1))
  include (code) where note is not null;
alter index "Odd ""Name".by_expr alter column 1 set statistics 500;
comment on index "Odd ""Name".by_expr is E'two\nlines';
create index by_room on "Odd ""Name"."Kids 'n" (room);
alter table "Odd ""Name"."Kids 'n" cluster on by_room;
)";

TEST_F(Scripts, ComeBackToTheSameDump) {
  run(kEverything);
  run(std::string("create unique index parents_identity on app.parents (part, code)") +
      (major_version() >= 15 ? " nulls not distinct" : "") +
      "; alter table app.parents replica identity using index parents_identity");
  run("create function app.f() returns trigger language plpgsql as $$begin return new; end$$; "
      "create trigger t_origin before insert on app.parents for each row execute function app.f(); "
      "create trigger \"T always\" after update of code on app.parents for each row when (old.code "
      "is distinct from new.code) execute function app.f(); "
      "create trigger t_replica before insert on app.parents for each row execute function "
      "app.f(); "
      "create trigger t_off before insert on app.parents for each row execute function app.f(); "
      "create constraint trigger t_con after insert on app.parents deferrable initially deferred "
      "for each row execute function app.f(); "
      "alter table app.parents enable always trigger \"T always\"; "
      "alter table app.parents enable replica trigger t_replica; "
      "alter table app.parents disable trigger t_off");
  // Before version 13 a partitioned table has no triggers before a row.
  const std::string time = major_version() >= 13 ? "before" : "after";
  run("create table app.parted (id integer, day date, v text) partition by range (day); "
      "create table app.parted_a partition of app.parted for values from ('2024-01-01') to "
      "('2025-01-01') partition by list (id); "
      "create table app.parted_a1 partition of app.parted_a for values in (1, 2); "
      "create table app.parted_b partition of app.parted for values from ('2025-01-01') to "
      "('2026-01-01'); "
      "alter table app.parted add constraint parted_unique unique (id, day); "
      "create index parted_v on app.parted (v); create index only_b on app.parted_b (v, id); "
      "create trigger t_parted " +
      time +
      " insert on app.parted for each row execute function app.f(); "
      "alter table app.parted_b disable trigger t_parted; "
      "create table app.points (a integer, b date, foreign key (a, b) references app.parted (id, "
      "day)); "
      "alter table app.parted add parent integer references app.parents");
  const std::string before = dump();
  const connect::TargetScripts made = scripts();
  run(made.disable);
  EXPECT_EQ(value("select count(*) from pg_constraint where contype in ('f', 'u', 'x') and "
                  "connamespace in ('app'::regnamespace, '\"Odd \"\"Name\"'::regnamespace)"),
            "0");
  EXPECT_EQ(value("select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid where "
                  "not indisprimary and c.relnamespace in ('app'::regnamespace, "
                  "'\"Odd \"\"Name\"'::regnamespace)"),
            "0");
  EXPECT_EQ(value("select count(*) from pg_trigger where not tgisinternal and tgenabled <> 'D'"),
            "0");
  const std::string between = dump();
  EXPECT_NE(before, between);
  run(made.enable);
  const std::string after = dump();
  EXPECT_EQ(before, after) << made.enable;
  // The second writing says what the first said.
  EXPECT_EQ(scripts().enable, made.enable);
}

TEST_F(Scripts, TablespacesAreKept) {
  run("set allow_in_place_tablespaces = on");
  run("create tablespace \"" + database_ + "_Fast\" location ''");
  run("create schema app; create table app.t (id integer, a integer, unique (a) using index "
      "tablespace \"" +
      database_ +
      "_Fast\"); create index on app.t (id); create index there on "
      "app.t (id, a) tablespace \"" +
      database_ + "_Fast\"");
  const std::string before = dump();
  EXPECT_THAT(before, HasSubstr("_Fast"));
  const connect::TargetScripts made = scripts();
  run(made.disable);
  run(made.enable);
  EXPECT_EQ(before, dump()) << made.enable;
}

TEST_F(Scripts, OnlyWhatWasAskedForIsTouched) {
  run("create schema a; create schema b; create table a.p (id integer primary key, x integer "
      "unique); create table b.c (id integer primary key, x integer references a.p (x), y integer "
      "references a.p (id)); create index on b.c (y); create table b.d (x integer unique, y "
      "integer "
      "references b.d (x))");
  connect::ScriptOptions options;
  options.schemas = {"a"};
  const std::string disable = scripts(options).disable;
  EXPECT_THAT(disable, HasSubstr("drop constraint p_x_key"));
  EXPECT_THAT(disable, HasSubstr("alter table b.c drop constraint c_x_fkey"));
  EXPECT_THAT(disable, Not(HasSubstr("c_y_idx")));
  EXPECT_THAT(disable, Not(HasSubstr("b.d")));
  options.schemas.clear();
  options.indexes = false;
  EXPECT_THAT(scripts(options).disable, Not(HasSubstr("drop index")));
  options.foreign_keys = false;
  EXPECT_THAT(scripts(options).disable, Not(HasSubstr("constraint")));
}

}  // namespace
}  // namespace wherry::postgres::test
