//go:build debian

package main

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// What Debian's 0.24.2 does otherwise than the current module: one registry for all, tasks that end at once.

func (s *Simulated) prepare() {}

// mountEverywhere: a local datastore of one name is one object for all hosts here, and says that the last one alone mounts it.
func (s *Simulated) mountEverywhere() {
	for _, entity := range simulator.Map.All("HostSystem") {
		host := entity.(*simulator.HostSystem)
		for _, reference := range host.Datastore {
			datastore, ok := simulator.Map.Get(reference).(*simulator.Datastore)
			if !ok || mounts(datastore, host.Self) {
				continue
			}
			datastore.Host = append(datastore.Host, types.DatastoreHostMount{Key: host.Self, MountInfo: types.HostMountInfo{
				AccessMode: string(types.HostMountModeReadWrite), Mounted: types.NewBool(true), Accessible: types.NewBool(true)}})
		}
	}
}

func mounts(datastore *simulator.Datastore, host types.ManagedObjectReference) bool {
	for _, mount := range datastore.Host {
		if mount.Key == host {
			return true
		}
	}
	return false
}

func (s *Simulated) failedTask(entity types.ManagedObjectReference, name string,
	fault types.BaseMethodFault) types.ManagedObjectReference {
	return simulator.CreateTask(entity, taskName(name), func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		return nil, fault
	}).Run()
}

func (s *Simulated) setFree(name string, free int64) error {
	for _, entity := range simulator.Map.All("Datastore") {
		datastore := entity.(*simulator.Datastore)
		if datastore.Name == name {
			simulator.Map.WithLock(datastore, func() { setFree(datastore, free) })
			return nil
		}
	}
	return fmt.Errorf("there is no datastore %s", name)
}

// tidyExtraConfig lets the last value of a key win, and an empty one remove it; this simulator only appends.
func (s *Simulated) tidyExtraConfig(reference types.ManagedObjectReference) {
	machine, ok := simulator.Map.Get(reference).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	simulator.Map.WithLock(machine, func() {
		last := map[string]types.BaseOptionValue{}
		var keys []string
		for _, option := range machine.Config.ExtraConfig {
			key := option.GetOptionValue().Key
			if _, known := last[key]; !known {
				keys = append(keys, key)
			}
			last[key] = option
		}
		machine.Config.ExtraConfig = nil
		for _, key := range keys {
			if last[key].GetOptionValue().Value != "" {
				machine.Config.ExtraConfig = append(machine.Config.ExtraConfig, last[key])
			}
		}
	})
}
