// Which region, type, image and kernel of those offered a spec means, by id or by label as people write it. Never
// guessed: what fits nothing, or several things equally well, is Error(Usage) that names the key, the value and the
// nearest that are offered. Pure.
#pragma once

#include "providers/linode_read.h"

namespace jarvis::providers {

// `Atlanta`, `atlanta, ga` or `us-southeast`.
const LinodeRegion& pick_region(const std::vector<LinodeRegion>& offered, const std::string& said);

// An id, a label, or MB of memory: of those with at least so much memory and `disk` MB the cheapest in the region, then
// the first by id.
const LinodeType& pick_type(const std::vector<LinodeType>& offered, const std::string& said, const LinodeRegion& region,
                            std::int64_t disk);

// `Debian 12` or `linode/debian12`; a deprecated one is refused, and the newest of the same maker named.
const LinodeImage& pick_image(const std::vector<LinodeImage>& offered, const std::string& said);

// Error(Usage) unless the image reads user data and the region hands it over: only so the host gets the key that jarvis
// expects. Names those that do.
void check_user_data(const std::vector<LinodeRegion>& regions, const std::vector<LinodeImage>& images,
                     const LinodeRegion& region, const LinodeImage& image);

const LinodeKernel& pick_kernel(const std::vector<LinodeKernel>& offered, const std::string& said);

bool can(const LinodeRegion& region, const std::string& capability);

}  // namespace jarvis::providers
