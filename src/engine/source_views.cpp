#include "engine/source_views.h"

namespace wherry::engine {

void SourceViews::set_first(const Position& position) {
  std::lock_guard lock(mutex_);
  first_ = position;
}

void SourceViews::set_first(std::unique_ptr<connect::SnapshotSource> view) {
  std::lock_guard lock(mutex_);
  first_ = view->position();
  views_[first_.text] = std::move(view);
}

Result<SourceView> SourceViews::at(OpContext& context, const Position& position) {
  std::lock_guard lock(mutex_);
  const Position& wanted = position.empty() ? first_ : position;
  const auto found = views_.find(wanted.text);
  if (found != views_.end()) return found->second;
  return open(context, wanted);
}

Result<SourceView> SourceViews::newer_than(OpContext& context, const Position& lost) {
  std::lock_guard lock(mutex_);
  const std::string& known = lost.empty() ? first_.text : lost.text;
  views_.erase(known);
  const auto found = successors_.find(known);
  if (found != successors_.end() && views_.contains(found->second)) return views_[found->second];
  WHERRY_ASSIGN(SourceView view, open(context, {}));
  successors_[known] = view->position().text;
  return view;
}

Result<SourceView> SourceViews::open(OpContext& context, const Position& position) {
  WHERRY_ASSIGN(auto opened, open_(context, position));
  SourceView view = std::move(opened);
  views_[view->position().text] = view;
  return view;
}

}  // namespace wherry::engine
