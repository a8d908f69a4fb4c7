// Command kube-metrics shows what Kubernetes says about its objects to Prometheus, under the names
// of kube-state-metrics (which cannot be had from the Go module proxy): the part that alerts and
// dashboards of this project use.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	autoscalinglisters "k8s.io/client-go/listers/autoscaling/v2"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// family is one metric with its samples.
type family struct {
	kind    string
	samples bytes.Buffer
}

// page collects samples by metric, for Prometheus wants those of one metric together.
type page struct {
	order    []string
	families map[string]*family
}

// add notes one sample; labels are names and values in turn.
func (p *page) add(name, kind string, value float64, labels ...string) {
	f := p.families[name]
	if f == nil {
		f = &family{kind: kind}
		p.families[name] = f
		p.order = append(p.order, name)
	}
	pairs := make([]string, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	fmt.Fprintf(&f.samples, "%s{%s} %g\n", name, strings.Join(pairs, ","), value)
}

func (p *page) gauge(name string, value float64, labels ...string) {
	p.add(name, "gauge", value, labels...)
}

func (p *page) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	for _, name := range p.order {
		f := p.families[name]
		fmt.Fprintf(w, "# TYPE %s %s\n%s", name, f.kind, f.samples.String())
	}
}

func number(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}

func replicas(wanted *int32) float64 {
	if wanted == nil {
		return 1
	}
	return float64(*wanted)
}

func pod(p *page, pod *corev1.Pod) {
	id := []string{"namespace", pod.Namespace, "pod", pod.Name, "uid", string(pod.UID)}
	with := func(labels ...string) []string { return append(append([]string{}, id...), labels...) }
	owner, name := "<none>", "<none>"
	for _, reference := range pod.OwnerReferences {
		if reference.Controller != nil && *reference.Controller {
			owner, name = reference.Kind, reference.Name
		}
	}
	p.gauge("kube_pod_info", 1, with("node", pod.Spec.NodeName, "pod_ip", pod.Status.PodIP,
		"created_by_kind", owner, "created_by_name", name)...)
	for _, phase := range []corev1.PodPhase{corev1.PodPending, corev1.PodRunning,
		corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown} {
		p.gauge("kube_pod_status_phase", number(pod.Status.Phase == phase), with("phase", string(phase))...)
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			for _, status := range []corev1.ConditionStatus{"True", "False", "Unknown"} {
				p.gauge("kube_pod_status_ready", number(condition.Status == status),
					with("condition", strings.ToLower(string(status)))...)
			}
		}
	}
	for _, container := range pod.Spec.Containers {
		containerResources(p, with("container", container.Name, "node", pod.Spec.NodeName), container)
	}
	for _, status := range pod.Status.ContainerStatuses {
		containerStatus(p, with("container", status.Name), status)
	}
}

func containerResources(p *page, id []string, container corev1.Container) {
	for metric, list := range map[string]corev1.ResourceList{
		"kube_pod_container_resource_requests": container.Resources.Requests,
		"kube_pod_container_resource_limits":   container.Resources.Limits,
	} {
		for resource, quantity := range list {
			unit := "byte"
			if resource == corev1.ResourceCPU {
				unit = "core"
			}
			p.gauge(metric, quantity.AsApproximateFloat64(),
				append(append([]string{}, id...), "resource", string(resource), "unit", unit)...)
		}
	}
}

func containerStatus(p *page, id []string, status corev1.ContainerStatus) {
	with := func(labels ...string) []string { return append(append([]string{}, id...), labels...) }
	p.add("kube_pod_container_status_restarts_total", "counter", float64(status.RestartCount), id...)
	p.gauge("kube_pod_container_status_ready", number(status.Ready), id...)
	p.gauge("kube_pod_container_status_running", number(status.State.Running != nil), id...)
	if waiting := status.State.Waiting; waiting != nil {
		p.gauge("kube_pod_container_status_waiting_reason", 1, with("reason", waiting.Reason)...)
	}
	if last := status.LastTerminationState.Terminated; last != nil {
		p.gauge("kube_pod_container_status_last_terminated_reason", 1, with("reason", last.Reason)...)
	}
}

func deployment(p *page, d *appsv1.Deployment) {
	id := []string{"namespace", d.Namespace, "deployment", d.Name}
	p.gauge("kube_deployment_spec_replicas", replicas(d.Spec.Replicas), id...)
	p.gauge("kube_deployment_status_replicas", float64(d.Status.Replicas), id...)
	p.gauge("kube_deployment_status_replicas_ready", float64(d.Status.ReadyReplicas), id...)
	p.gauge("kube_deployment_status_replicas_available", float64(d.Status.AvailableReplicas), id...)
	p.gauge("kube_deployment_status_replicas_unavailable", float64(d.Status.UnavailableReplicas), id...)
	p.gauge("kube_deployment_status_replicas_updated", float64(d.Status.UpdatedReplicas), id...)
	p.gauge("kube_deployment_metadata_generation", float64(d.Generation), id...)
	p.gauge("kube_deployment_status_observed_generation", float64(d.Status.ObservedGeneration), id...)
}

func statefulSet(p *page, s *appsv1.StatefulSet) {
	id := []string{"namespace", s.Namespace, "statefulset", s.Name}
	p.gauge("kube_statefulset_replicas", replicas(s.Spec.Replicas), id...)
	p.gauge("kube_statefulset_status_replicas_ready", float64(s.Status.ReadyReplicas), id...)
}

func autoscaler(p *page, h *autoscalingv2.HorizontalPodAutoscaler) {
	id := []string{"namespace", h.Namespace, "horizontalpodautoscaler", h.Name}
	p.gauge("kube_horizontalpodautoscaler_spec_min_replicas", replicas(h.Spec.MinReplicas), id...)
	p.gauge("kube_horizontalpodautoscaler_spec_max_replicas", float64(h.Spec.MaxReplicas), id...)
	p.gauge("kube_horizontalpodautoscaler_status_current_replicas", float64(h.Status.CurrentReplicas), id...)
	p.gauge("kube_horizontalpodautoscaler_status_desired_replicas", float64(h.Status.DesiredReplicas), id...)
}

func quota(p *page, q *corev1.ResourceQuota) {
	for kind, list := range map[string]corev1.ResourceList{"hard": q.Status.Hard, "used": q.Status.Used} {
		for resource, quantity := range list {
			p.gauge("kube_resourcequota", quantity.AsApproximateFloat64(), "namespace", q.Namespace,
				"resourcequota", q.Name, "resource", string(resource), "type", kind)
		}
	}
}

func node(p *page, n *corev1.Node) {
	for resource, quantity := range n.Status.Allocatable {
		p.gauge("kube_node_status_allocatable", quantity.AsApproximateFloat64(),
			"node", n.Name, "resource", string(resource))
	}
	for _, condition := range n.Status.Conditions {
		p.gauge("kube_node_status_condition", number(condition.Status == corev1.ConditionTrue),
			"node", n.Name, "condition", string(condition.Type), "status", "true")
	}
}

// unfit is what a label of Prometheus must not contain.
var unfit = regexp.MustCompile("[^a-zA-Z0-9_]")

// secret shows the records of rollouts, which are counted for the DORA figures; never what is in them.
func secret(p *page, o runtime.Object) {
	s := o.(*metav1.PartialObjectMetadata)
	id := []string{"namespace", s.Namespace, "secret", s.Name}
	p.gauge("kube_secret_created", float64(s.CreationTimestamp.Unix()), id...)
	names := make([]string, 0, len(s.Labels))
	for name := range s.Labels {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		id = append(id, "label_"+unfit.ReplaceAllString(name, "_"), s.Labels[name])
	}
	p.gauge("kube_secret_labels", 1, id...)
}

// state is what the informers know.
type state struct {
	pods         corelisters.PodLister
	nodes        corelisters.NodeLister
	quotas       corelisters.ResourceQuotaLister
	deployments  appslisters.DeploymentLister
	statefulSets appslisters.StatefulSetLister
	autoscalers  autoscalinglisters.HorizontalPodAutoscalerLister
	records      cache.GenericLister
}

func each[T any](list func(labels.Selector) ([]T, error), p *page, show func(*page, T)) {
	objects, err := list(labels.Everything())
	if err != nil {
		log.Print(err)
	}
	for _, object := range objects {
		show(p, object)
	}
}

func (s *state) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p := &page{families: map[string]*family{}}
	each(s.pods.List, p, pod)
	each(s.nodes.List, p, node)
	each(s.quotas.List, p, quota)
	each(s.deployments.List, p, deployment)
	each(s.statefulSets.List, p, statefulSet)
	each(s.autoscalers.List, p, autoscaler)
	each(s.records.List, p, secret)
	p.write(w)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file to reach the API server by")
	address := flag.String("listen", "127.0.0.1:8081", "address to serve /metrics on")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	names, err := metadata.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	records := metadatainformer.NewFilteredSharedInformerFactory(names, 0, metav1.NamespaceAll,
		func(o *metav1.ListOptions) { o.LabelSelector = "slipway.dev/record=rollout" })
	factory := informers.NewSharedInformerFactory(client, 0)
	s := &state{
		pods:         factory.Core().V1().Pods().Lister(),
		nodes:        factory.Core().V1().Nodes().Lister(),
		quotas:       factory.Core().V1().ResourceQuotas().Lister(),
		deployments:  factory.Apps().V1().Deployments().Lister(),
		statefulSets: factory.Apps().V1().StatefulSets().Lister(),
		autoscalers:  factory.Autoscaling().V2().HorizontalPodAutoscalers().Lister(),
		records:      records.ForResource(corev1.SchemeGroupVersion.WithResource("secrets")).Lister(),
	}
	factory.Start(context.Background().Done())
	factory.WaitForCacheSync(context.Background().Done())
	records.Start(context.Background().Done())
	records.WaitForCacheSync(context.Background().Done())
	http.Handle("/metrics", s)
	server := &http.Server{Addr: *address, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
