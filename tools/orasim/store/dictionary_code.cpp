// SEQUENCES, VIEWS, TRIGGERS, SOURCE, SYNONYMS, MVIEWS.
#include <algorithm>
#include <cctype>

#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
using Code = CodeDef;
using Sequence = SequenceDef;

Items<Code> code_of(const std::string& kind) {
  return [kind](const Context& c, const std::function<bool(const Code&)>& visit) {
    for (const auto& [key, code] : c.catalog.code) {
      if (code->kind == kind && !visit(*code)) return;
    }
  };
}

std::string owner_of(const Code& c) {
  return c.owner;
}

std::string upper(std::string s) {
  for (char& ch : s) ch = static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
  return s;
}

/// What a trigger's head says, up to its body.
struct TriggerHead {
  bool before = false, instead = false, each_row = false;
  std::string events;
};

TriggerHead head_of(const Code& c) {
  TriggerHead head;
  const std::string all = upper(c.text);
  std::string word, last;
  for (const char ch : all + " ") {
    if (std::isalnum(static_cast<unsigned char>(ch)) != 0 || ch == '_') {
      word.push_back(ch);
      continue;
    }
    if (word.empty()) continue;
    if (word == "BEGIN" || word == "DECLARE" || word == "CALL") break;
    head.before = head.before || word == "BEFORE";
    head.instead = head.instead || word == "INSTEAD";
    head.each_row = head.each_row || (word == "EACH" && last == "FOR");
    if (word == "INSERT" || word == "UPDATE" || word == "DELETE") {
      head.events += (head.events.empty() ? "" : " OR ") + word;
    }
    last = word;
    word.clear();
  }
  return head;
}

std::string trigger_type(const Code& c) {
  const TriggerHead head = head_of(c);
  if (head.instead) return "INSTEAD OF";
  return std::string(head.before ? "BEFORE" : "AFTER") +
         (head.each_row ? " EACH ROW" : " STATEMENT");
}

/// Text from the word that names the kind, as ALL_SOURCE shows it.
std::string source_text(const Code& c) {
  const std::string first = c.kind.substr(0, c.kind.find(' '));
  const auto at = upper(c.text).find(first);
  return at == std::string::npos ? c.text : c.text.substr(at);
}

struct Line {
  const Code* code = nullptr;
  std::int64_t number = 0;
  std::string text;
};

void visit_lines(const Context& c, const std::function<bool(const Line&)>& visit) {
  for (const auto& [key, code] : c.catalog.code) {
    if (code->kind == "DIRECTORY" || code->kind == "VIEW" || code->kind == "SYNONYM" ||
        code->kind == "MATERIALIZED VIEW") {
      continue;
    }
    const std::string all = source_text(*code);
    std::int64_t number = 0;
    for (std::size_t at = 0; at < all.size();) {
      const auto end = std::min(all.find('\n', at), all.size() - 1);
      if (!visit({code.get(), ++number, all.substr(at, end - at + 1)})) return;
      at = end + 1;
    }
  }
}

void add_sequences(Registry& r) {
  const Items<Sequence> items = [](const Context& c,
                                   const std::function<bool(const Sequence&)>& visit) {
    for (const auto& [key, sequence] : c.catalog.sequences) {
      if (!visit(*sequence)) return;
    }
  };
  const auto value = [](const char* name, Number Sequence::*field) {
    return Column<Sequence>{name, Kind::kNumber, [field](const Sequence& s, const Context&) {
                              return make_number(s.*field);
                            }};
  };
  r.add_family<Sequence>(
      "SEQUENCES", items,
      {text_of<Sequence>("SEQUENCE_OWNER", [](const Sequence& s) { return s.owner; }),
       text_of<Sequence>("SEQUENCE_NAME", [](const Sequence& s) { return s.name; }),
       value("MIN_VALUE", &Sequence::min_value),
       value("MAX_VALUE", &Sequence::max_value),
       value("INCREMENT_BY", &Sequence::increment_by),
       text_of<Sequence>("CYCLE_FLAG", [](const Sequence& s) { return s.cycle ? "Y" : "N"; }),
       text_of<Sequence>("ORDER_FLAG", [](const Sequence& s) { return s.order ? "Y" : "N"; }),
       number_of<Sequence>("CACHE_SIZE", [](const Sequence& s) { return s.cache_size; }),
       {"LAST_NUMBER", Kind::kNumber,
        [](const Sequence& s, const Context& c) {
          return make_number(c.store.sequence_last_number(s));
        }},
       fixed<Sequence>("SCALE_FLAG", "N"),
       fixed<Sequence>("EXTEND_FLAG", "N"),
       fixed<Sequence>("SHARDED_FLAG", "N"),
       fixed<Sequence>("SESSION_FLAG", "N"),
       fixed<Sequence>("KEEP_VALUE", "N")},
      [](const Sequence& s) { return s.owner; }, {"SEQUENCE_OWNER"},
      [](const Sequence& i) {
        return ObjectName{i.owner, i.name};
      });
}

void add_views(Registry& r) {
  r.add_family<Code>(
      "VIEWS", code_of("VIEW"),
      {text_of<Code>("OWNER", owner_of),
       text_of<Code>("VIEW_NAME", [](const Code& c) { return c.name; }),
       number_of<Code>("TEXT_LENGTH", [](const Code& c) { return c.text.size(); }),
       {"TEXT", Kind::kLong, [](const Code& c, const Context&) { return long_text(c.text); }},
       text_of<Code>("TEXT_VC", [](const Code& c) { return c.text.substr(0, 4000); }),
       empty<Code>("TYPE_TEXT_LENGTH", Kind::kNumber),
       empty<Code>("TYPE_TEXT", Kind::kText),
       empty<Code>("OID_TEXT_LENGTH", Kind::kNumber),
       empty<Code>("OID_TEXT", Kind::kText),
       empty<Code>("VIEW_TYPE_OWNER", Kind::kText),
       empty<Code>("VIEW_TYPE", Kind::kText),
       empty<Code>("SUPERVIEW_NAME", Kind::kText),
       fixed<Code>("EDITIONING_VIEW", "N"),
       fixed<Code>("READ_ONLY", "N"),
       fixed<Code>("CONTAINER_DATA", "N"),
       fixed<Code>("BEQUEATH", "DEFINER"),
       fixed_number<Code>("ORIGIN_CON_ID", 0),
       fixed<Code>("DEFAULT_COLLATION", "USING_NLS_COMP")},
      owner_of, {"OWNER"}, [](const Code& i) {
        return ObjectName{i.owner, i.name};
      });
  r.add_family<Code>(
      "MVIEWS", code_of("MATERIALIZED VIEW"),
      {text_of<Code>("OWNER", owner_of),
       text_of<Code>("MVIEW_NAME", [](const Code& c) { return c.name; }),
       text_of<Code>("CONTAINER_NAME", [](const Code& c) { return c.name; }),
       {"QUERY", Kind::kLong, [](const Code& c, const Context&) { return long_text(c.text); }},
       number_of<Code>("QUERY_LEN", [](const Code& c) { return c.text.size(); }),
       fixed<Code>("UPDATABLE", "N"),
       fixed<Code>("REFRESH_MODE", "DEMAND"),
       fixed<Code>("REFRESH_METHOD", "FORCE"),
       fixed<Code>("BUILD_MODE", "DEFERRED")},
      owner_of, {}, [](const Code& i) {
        return ObjectName{i.owner, i.name};
      });
  r.add_family<Code>(
      "SYNONYMS", code_of("SYNONYM"),
      {text_of<Code>("OWNER", owner_of),
       text_of<Code>("SYNONYM_NAME", [](const Code& c) { return c.name; }),
       text_of<Code>("TABLE_OWNER", [](const Code& c) { return c.table_owner; }),
       text_of<Code>("TABLE_NAME", [](const Code& c) { return c.table_name; }),
       empty<Code>("DB_LINK", Kind::kText), fixed_number<Code>("ORIGIN_CON_ID", 0)},
      owner_of, {"OWNER"}, [](const Code& i) {
        return ObjectName{i.owner == "PUBLIC" ? i.owner : i.table_owner, i.table_name};
      });
}

void add_triggers(Registry& r) {
  r.add_family<Code>(
      "TRIGGERS", code_of("TRIGGER"),
      {text_of<Code>("OWNER", owner_of),
       text_of<Code>("TRIGGER_NAME", [](const Code& c) { return c.name; }),
       text_of<Code>("TRIGGER_TYPE", trigger_type),
       text_of<Code>("TRIGGERING_EVENT", [](const Code& c) { return head_of(c).events; }),
       text_of<Code>("TABLE_OWNER", [](const Code& c) { return c.table_owner; }),
       fixed<Code>("BASE_OBJECT_TYPE", "TABLE"),
       text_of<Code>("TABLE_NAME", [](const Code& c) { return c.table_name; }),
       empty<Code>("COLUMN_NAME", Kind::kText),
       fixed<Code>("REFERENCING_NAMES", "REFERENCING NEW AS NEW OLD AS OLD"),
       empty<Code>("WHEN_CLAUSE", Kind::kText),
       text_of<Code>("STATUS", [](const Code& c) { return c.enabled ? "ENABLED" : "DISABLED"; }),
       text_of<Code>("DESCRIPTION", [](const Code& c) { return source_text(c).substr(0, 4000); }),
       fixed<Code>("ACTION_TYPE", "PL/SQL     "),
       {"TRIGGER_BODY", Kind::kLong,
        [](const Code& c, const Context&) { return long_text(c.text); }}},
      owner_of, {"OWNER"}, [](const Code& i) {
        return ObjectName{i.table_owner, i.table_name};
      });
  r.add_family<Line>(
      "SOURCE", visit_lines,
      {text_of<Line>("OWNER", [](const Line& l) { return l.code->owner; }),
       text_of<Line>("NAME", [](const Line& l) { return l.code->name; }),
       text_of<Line>("TYPE", [](const Line& l) { return l.code->kind; }),
       number_of<Line>("LINE", [](const Line& l) { return l.number; }),
       text_of<Line>("TEXT", [](const Line& l) { return l.text; }),
       fixed_number<Line>("ORIGIN_CON_ID", 0)},
      [](const Line& l) { return l.code->owner; }, {"OWNER"},
      [](const Line& i) {
        return ObjectName{i.code->owner, i.code->name};
      });
}

}  // namespace

void add_code_views(Registry& r) {
  add_sequences(r);
  add_views(r);
  add_triggers(r);
}

}  // namespace orasim::dictionary
