package main

import (
	"strings"

	"github.com/vmware/govmomi/simulator"
)

func setFree(datastore *simulator.Datastore, free int64) {
	datastore.Summary.FreeSpace = free
	datastore.Info.GetDatastoreInfo().FreeSpace = free
	if free > datastore.Summary.Capacity {
		datastore.Summary.Capacity = free
	}
}

// taskName: CreateVM_Task -> createVm, as the simulator calls its own.
func taskName(operation string) string {
	name := strings.Replace(strings.TrimSuffix(operation, "_Task"), "VM", "Vm", 1)
	return strings.ToLower(name[:1]) + name[1:]
}
