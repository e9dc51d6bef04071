"""What the fake of Linode offers: regions, types, images, kernels, as the API lists them.

A choice of what the real service had in 2024, prices included; a test changes the copies that its fake holds.
"""
import copy


def _region(name, label, country, *without, status="ok"):
    capabilities = ["Linodes", "Backups", "NodeBalancers", "Block Storage", "Kubernetes", "Cloud Firewall", "Vlans", "Metadata"]
    return {"id": name, "label": label, "country": country, "site-type": "core", "status": status,
            "capabilities": [capability for capability in capabilities if capability not in without],
            "resolvers": {"ipv4": "192.0.2.2,192.0.2.3", "ipv6": "2001:db8::2,2001:db8::3"},
            "placement_group_limits": {"maximum_pgs_per_customer": None, "maximum_linodes_per_pg": 5}}


def _type(name, label, kind, memory, disk, vcpus, hourly, monthly, transfer, gpus=0, dear=()):
    return {"id": name, "label": label, "class": kind, "memory": memory, "disk": disk, "vcpus": vcpus, "gpus": gpus,
            "transfer": transfer, "network_out": transfer, "successor": None,
            "price": {"hourly": hourly, "monthly": monthly},
            "region_prices": [{"id": region, "hourly": round(hourly * 1.2, 4), "monthly": round(monthly * 1.2, 2)} for region in dear],
            "addons": {"backups": {"price": {"hourly": 0.003, "monthly": 2}, "region_prices": []}}}


def image(name, label, vendor=None, capabilities=(), size=1500, deprecated=False, created="2023-06-14T15:22:11", eol=None, regions=()):
    """One image; a private one when its name starts so."""
    public = name.startswith("linode/")
    return {"id": name, "label": label, "vendor": vendor, "capabilities": list(capabilities), "size": size, "total_size": size,
            "created": created, "updated": created, "created_by": "linode" if public else "deployer", "deprecated": deprecated,
            "description": None, "eol": eol, "expiry": None, "is_public": public, "status": "available", "type": "manual",
            "regions": [{"region": region, "status": "available"} for region in regions], "tags": []}


def _kernel(name, label, version, built, architecture="x86_64", deprecated=False):
    return {"id": name, "label": label, "version": version, "architecture": architecture, "kvm": True, "pvops": True,
            "deprecated": deprecated, "built": built}


_DEAR = ("id-cgk", "br-gru")

REGIONS = [
    _region("ap-west", "Mumbai, IN", "in"),
    _region("ca-central", "Toronto, CA", "ca"),
    _region("us-central", "Dallas, TX", "us"),
    _region("us-west", "Fremont, CA", "us"),
    _region("us-southeast", "Atlanta, GA", "us"),
    _region("us-east", "Newark, NJ", "us"),
    _region("us-iad", "Washington, DC", "us"),
    _region("eu-west", "London, UK", "gb"),
    _region("eu-central", "Frankfurt, DE", "de"),
    _region("ap-northeast", "Tokyo 2, JP", "jp", "Metadata"),
    _region("id-cgk", "Jakarta, ID", "id"),
    _region("br-gru", "Sao Paulo, BR", "br"),
]

TYPES = [
    _type("g6-nanode-1", "Nanode 1GB", "nanode", 1024, 25600, 1, 0.0075, 5, 1000, dear=_DEAR),
    _type("g6-standard-1", "Linode 2GB", "standard", 2048, 51200, 1, 0.018, 12, 2000, dear=_DEAR),
    _type("g6-standard-2", "Linode 4GB", "standard", 4096, 81920, 2, 0.036, 24, 4000, dear=_DEAR),
    _type("g6-standard-4", "Linode 8GB", "standard", 8192, 163840, 4, 0.072, 48, 5000, dear=_DEAR),
    _type("g6-standard-6", "Linode 16GB", "standard", 16384, 327680, 6, 0.144, 96, 8000, dear=_DEAR),
    _type("g6-standard-8", "Linode 32GB", "standard", 32768, 655360, 8, 0.288, 192, 16000, dear=_DEAR),
    _type("g7-highmem-1", "Linode 24GB", "highmem", 24576, 20480, 2, 0.09, 60, 5000, dear=_DEAR),
    _type("g6-dedicated-2", "Dedicated 4GB", "dedicated", 4096, 81920, 2, 0.054, 36, 4000, dear=_DEAR),
    _type("g6-dedicated-4", "Dedicated 8GB", "dedicated", 8192, 163840, 4, 0.108, 72, 5000, dear=_DEAR),
    _type("g7-premium-2", "Premium 4GB", "premium", 4096, 81920, 2, 0.0645, 43, 4000),
    _type("g1-gpu-rtx6000-1", "Dedicated 32GB + RTX6000 GPU x1", "gpu", 32768, 655360, 8, 1.5, 1000, 16000, gpus=1),
]

IMAGES = [
    image("linode/almalinux9", "AlmaLinux 9", "AlmaLinux", ["cloud-init"], 2200),
    image("linode/alpine3.19", "Alpine 3.19", "Alpine", [], 300),
    image("linode/arch", "Arch Linux", "Arch", [], 2500),
    image("linode/debian10", "Debian 10", "Debian", [], 1500, created="2019-07-07T20:17:06", eol="2024-07-30T04:00:00"),
    image("linode/debian11", "Debian 11", "Debian", ["cloud-init"], 1600, created="2021-08-14T22:44:02"),
    image("linode/debian12", "Debian 12", "Debian", ["cloud-init"], 1650),
    image("linode/debian9", "Debian 9", "Debian", [], 1100, deprecated=True, created="2017-06-16T20:02:29", eol="2022-07-01T04:00:00"),
    image("linode/fedora40", "Fedora 40", "Fedora", ["cloud-init"], 2100),
    image("linode/ubuntu22.04", "Ubuntu 22.04 LTS", "Ubuntu", ["cloud-init"], 3500),
    image("linode/ubuntu24.04", "Ubuntu 24.04 LTS", "Ubuntu", ["cloud-init"], 3500),
    image("linode/debian12-kube-v1.28.3", "Kubernetes 1.28.3 on Debian 12", "Debian", [], 3500),
]

KERNELS = [
    _kernel("linode/latest-64bit", "Latest 64 bit (6.9.3-x86_64-linode166)", "6.9.3", "2024-06-05T14:54:33"),
    _kernel("linode/latest-32bit", "Latest 32 bit (6.9.3-x86-linode188)", "6.9.3", "2024-06-05T14:47:01", architecture="i386"),
    _kernel("linode/grub2", "GRUB 2", "2.06", "2019-04-11T15:36:34"),
    _kernel("linode/direct-disk", "Direct Disk", "", "2015-05-04T00:00:00"),
    _kernel("linode/grub-legacy", "GRUB (Legacy)", "2.0.0", "2015-04-29T11:32:30"),
    _kernel("linode/pv-grub-x86_64", "pv-grub-x86_64", "2.6.26", "2008-09-15T14:20:35", deprecated=True),
    _kernel("linode/6.8.9-x86_64-linode164", "6.8.9-x86_64-linode164", "6.8.9", "2024-05-08T18:38:22"),
    _kernel("linode/5.15.10-x86_64-linode149", "5.15.10-x86_64-linode149", "5.15.10", "2021-12-20T20:05:10"),
]


def offers():
    """(regions, types, images, kernels) of one's own."""
    return copy.deepcopy((REGIONS, TYPES, IMAGES, KERNELS))
