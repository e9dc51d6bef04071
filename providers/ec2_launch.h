// What RunInstances is told, and the calls that make one machine of it, however often a step is asked again.
#pragma once

#include <string>
#include <vector>

#include "providers/ec2_account.h"
#include "providers/ec2_answer.h"
#include "providers/ec2_images.h"
#include "providers/ec2_place.h"
#include "providers/ec2_types.h"
#include "providers/ec2_volumes.h"

namespace jarvis::providers {

struct Ec2Launch {
  Ec2Place place;
  Ec2Image image;
  Ec2Type type;
  int disk = 0;                      // GB of the root volume; 0: as the image has it
  std::string key_name, public_key;  // empty: no key pair
  std::string user_data;
  std::vector<WantedVolume> lacking;         // data volumes that would be made
  bool new_address = false;                  // an elastic address would be allocated
  std::vector<std::string> unknown_to_wipe;  // see ec2_volumes.h; of what a machine has may be disks

  std::string shown() const;
  // Without token and key pair, which come with the calls.
  Query query(const Marks& marks) const;
};

// Looks up all that the clipboard names; Error(Usage) for what is not offered. Changes nothing.
Ec2Launch launch_of(const workers::Clipboard& clipboard, Ec2Account& account);

// Those that a spec's size may mean in this place: the one of that id, else all (see ec2_type_cache.h).
std::vector<Ec2Type> types_of(Ec2Account& account, const Ec2Place& place, const std::string& size);
std::vector<Ec2Image> images_of(Ec2Api& api, const Query& query);

// Makes it, or finds the one that an earlier attempt of the same step made. Error(Transient) while that one exists but
// is not listed yet. What was made on the way to a refusal is removed again.
Ec2Instance run_instance(const workers::Call& call, Ec2Api& api, const Ec2Launch& launch, const Marks& marks,
                         std::chrono::milliseconds poll);

// Would RunInstances and what follows be allowed; throws the first refusal.
void ask_for(Ec2Api& api, const Ec2Launch& launch, const Marks& marks);

}  // namespace jarvis::providers
