// Persistent volumes out of folders of the one node, which any user may write to.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

type folders struct{ root string }

func (f folders) path(volume string) string {
	return filepath.Join(f.root, volume)
}

// Provision makes the folder. Local volumes, unlike host paths, honour a pod's fsGroup.
func (f folders) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*core.PersistentVolume, controller.ProvisioningState, error) {
	if options.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, errors.New("the class must wait for the first consumer")
	}
	path := f.path(options.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := os.Chmod(path, 0o777); err != nil { // past the umask
		return nil, controller.ProvisioningFinished, err
	}
	return f.volume(options, path), controller.ProvisioningFinished, nil
}

func (f folders) volume(options controller.ProvisionOptions, path string) *core.PersistentVolume {
	onNode := core.NodeSelectorRequirement{
		Key:      core.LabelHostname,
		Operator: core.NodeSelectorOpIn,
		Values:   []string{options.SelectedNodeName},
	}
	term := core.NodeSelectorTerm{MatchExpressions: []core.NodeSelectorRequirement{onNode}}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: options.PVName},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   options.PVC.Spec.AccessModes,
			Capacity:                      options.PVC.Spec.Resources.Requests,
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			PersistentVolumeSource: core.PersistentVolumeSource{
				Local: &core.LocalVolumeSource{Path: path},
			},
			NodeAffinity: &core.VolumeNodeAffinity{
				Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{term}},
			},
		},
	}
}

// Delete removes what a released volume held.
func (f folders) Delete(_ context.Context, volume *core.PersistentVolume) error {
	if volume.Spec.Local == nil || volume.Spec.Local.Path != f.path(volume.Name) {
		return &controller.IgnoredError{Reason: "not a folder of ours"}
	}
	return os.RemoveAll(volume.Spec.Local.Path)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "who to be to which API server")
	root := flag.String("folder", "", "where volumes are made")
	name := flag.String("provisioner", "", "what storage classes name")
	health := flag.String("health", "", "address that answers when it works")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	go func() { klog.Fatal(http.ListenAndServe(*health, nil)) }()
	client := kubernetes.NewForConfigOrDie(config)
	controller.NewProvisionController(
		ctx, client, *name, folders{*root}, controller.LeaderElection(false),
	).Run(ctx)
}
