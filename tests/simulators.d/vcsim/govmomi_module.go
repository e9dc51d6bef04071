//go:build !debian

package main

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// What the current module does otherwise than Debian's: a registry of each service, and tasks with a context.

func (s *Simulated) context() *simulator.Context {
	return &simulator.Context{Context: context.Background(), Map: s.model.Map()}
}

// prepare takes out what a vCenter 6.5, as which it answers, does not have: older clients stumble over it.
func (s *Simulated) prepare() { s.model.ServiceContent.TenantManager = nil }

// mountEverywhere: each host that has a datastore mounts it here by itself.
func (s *Simulated) mountEverywhere() {}

func (s *Simulated) failedTask(entity types.ManagedObjectReference, name string,
	fault types.BaseMethodFault) types.ManagedObjectReference {
	return simulator.CreateTask(entity, taskName(name), func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		return nil, fault
	}).Run(s.context())
}

func (s *Simulated) setFree(name string, free int64) error {
	for _, entity := range s.model.Map().All("Datastore") {
		datastore := entity.(*simulator.Datastore)
		if datastore.Name == name {
			s.model.Map().WithLock(s.context(), datastore, func() { setFree(datastore, free) })
			return nil
		}
	}
	return fmt.Errorf("there is no datastore %s", name)
}

// tidyExtraConfig: a key set twice stands once here by itself.
func (s *Simulated) tidyExtraConfig(types.ManagedObjectReference) {}
