// Places for workers: so many at once, first come first served, none while they are closed.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "pipeline/workshop.h"
#include "tests/pipeline/loop.h"

namespace jarvis::pipeline {
namespace {

// People who wait, each with a name; who got a place, in order: "a b-" (-: cancelled).
struct Queue {
  explicit Queue(int count) : places(loop.context(), count) {}
  std::shared_ptr<Places::Wait> wait(const std::string& name) {
    auto one = std::make_shared<Places::Wait>(places);
    boost::asio::co_spawn(loop.context(), one->taken(), [this, name, one](const std::exception_ptr&, bool taken) {
      got += (got.empty() ? "" : " ") + name + (taken ? "" : "-");
    });
    loop.settle();
    return one;
  }
  Loop loop;
  Places places;
  std::string got;
};

TEST_CASE("places: first come, first served") {
  Queue queue(2);
  CHECK(queue.places.try_take());
  CHECK(queue.places.try_take());
  CHECK_FALSE(queue.places.try_take());
  queue.wait("a");
  const auto b = queue.wait("b");
  queue.wait("c");
  CHECK(queue.got.empty());
  queue.places.give_back();
  queue.loop.settle();
  CHECK(queue.got == "a");
  b->cancel();
  queue.loop.settle();
  CHECK(queue.got == "a b-");
  queue.places.give_back();
  queue.loop.settle();
  CHECK(queue.got == "a b- c");
  CHECK_FALSE(queue.places.try_take());
  queue.places.give_back();
  CHECK(queue.places.try_take());
}

TEST_CASE("places: one that became free before somebody begins to wait") {
  // A run writes down that it waits between asking for a place and waiting for one.
  Queue queue(1);
  SUBCASE("given back") {
    CHECK(queue.places.try_take());
    CHECK_FALSE(queue.places.try_take());
    queue.places.give_back();
  }
  SUBCASE("opened") {
    queue.places.close();
    CHECK_FALSE(queue.places.try_take());
    queue.places.open();
  }
  queue.wait("a");
  CHECK(queue.got == "a");
  queue.wait("b");
  CHECK(queue.got == "a");
  queue.places.give_back();
  queue.loop.settle();
  CHECK(queue.got == "a b");
}

TEST_CASE("places: none while they are closed, all of them when they open") {
  Queue queue(2);
  CHECK(queue.places.try_take());
  queue.places.close();
  CHECK_FALSE(queue.places.try_take());
  queue.wait("a");
  queue.wait("b");
  queue.wait("c");
  queue.places.give_back();
  queue.loop.settle();
  CHECK_MESSAGE(queue.got.empty(), "what is given back stays free");
  queue.places.open();
  queue.loop.settle();
  CHECK(queue.got == "a b");
  queue.places.close();
  queue.places.close();
  queue.places.give_back();
  queue.places.open();
  queue.places.open();
  queue.loop.settle();
  CHECK(queue.got == "a b c");
  CHECK_FALSE(queue.places.try_take());
}

}  // namespace
}  // namespace jarvis::pipeline
