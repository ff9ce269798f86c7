#include "espalier/ipc/core/service.hpp"

#include "espalier/ipc/core/internal/service_impl.hpp"

#include <utility>

namespace espalier::ipc {

using internal::Moment;

Service::Service(Options options, Target& target, AuditStore& audit, ChainHead head, Post post)
    : impl_(std::make_unique<Impl>(std::move(options), target, audit, std::move(head),
                                   std::move(post))) {}

Service::~Service() = default;

Service::Admission Service::open(const Peer& peer, supervisor::TimePoint now, Timestamp wall) {
  return impl_->open(peer, {now, wall});
}

void Service::receive(ConnectionId id, std::string_view bytes, supervisor::TimePoint now,
                      Timestamp wall) {
  impl_->receive(id, bytes, {now, wall});
}

void Service::close(ConnectionId id) {
  impl_->close(id);
}

std::string_view Service::output(ConnectionId id) {
  return impl_->output(id);
}

void Service::sent(ConnectionId id, std::size_t bytes, supervisor::TimePoint now) {
  impl_->sent(id, bytes, now);
}

bool Service::is_closing(ConnectionId id) const {
  return impl_->is_closing(id);
}

bool Service::is_full(ConnectionId id) const {
  return impl_->is_full(id);
}

bool Service::is_in_use(ConnectionId id) const {
  return impl_->is_in_use(id);
}

std::vector<ConnectionId> Service::touched() {
  return impl_->touched();
}

void Service::wake(supervisor::TimePoint now, Timestamp wall) {
  impl_->wake({now, wall});
}

void Service::tick(supervisor::TimePoint now, Timestamp wall) {
  impl_->tick({now, wall});
}

std::optional<supervisor::TimePoint> Service::next_deadline() const {
  return impl_->next_deadline();
}

void Service::end(const std::string& reason, supervisor::TimePoint now, Timestamp wall) {
  impl_->end(reason, {now, wall});
}

std::size_t Service::connections() const {
  return impl_->connections();
}

}  // namespace espalier::ipc
