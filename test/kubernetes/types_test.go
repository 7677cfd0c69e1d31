package kubernetes_test

import (
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	alpha "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// kinds are the types that documents are decoded into.
func kinds() map[string]any {
	return map[string]any{
		"ConfigMap":      new(core.ConfigMap),
		"Deployment":     new(apps.Deployment),
		"NetworkPolicy":  new(networking.NetworkPolicy),
		"PrometheusRule": new(monitoring.PrometheusRule),
		"ScrapeConfig":   new(alpha.ScrapeConfig),
		"Service":        new(core.Service),
		"ServiceMonitor": new(monitoring.ServiceMonitor),
	}
}

// decode decodes a document strictly and returns its kind, name and object.
func decode(t *testing.T, document string) (kind, name string, object any) {
	t.Helper()
	var head struct {
		Kind     string
		Metadata struct {
			Name   string
			Labels map[string]string
		}
	}
	err := yaml.Unmarshal([]byte(document), &head)
	if err != nil {
		t.Fatalf("%v:\n%s", err, document)
	}
	object = kinds()[head.Kind]
	if object == nil {
		t.Fatalf("kind %q is not known here", head.Kind)
	}
	err = yaml.UnmarshalStrict([]byte(document), object)
	if err != nil {
		t.Errorf("%s %s: %v", head.Kind, head.Metadata.Name, err)
	}
	if head.Metadata.Labels["app.kubernetes.io/name"] != "integra-exporter" {
		t.Errorf("%s %s: labels %v", head.Kind, head.Metadata.Name, head.Metadata.Labels)
	}
	return head.Kind, head.Metadata.Name, object
}

// Everything that the chart can make is of the types' fields, and has a name of its own.
func TestChartDecodesStrictly(t *testing.T) {
	for values, want := range map[string]int{
		"{}":       4,
		everything: 4 + 1 + 2 + 5,
		"{schedule: false, scrapeConfig: {enabled: true}, serviceMonitor: {enabled: true}}": 6,
		"{networkPolicy: {enabled: false}}":                                                 3,
		"{networkPolicy: {from: [], egressPorts: []}}":                                      4,
	} {
		documents, err := render(t, values)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, document := range documents {
			kind, name, _ := decode(t, document)
			names[kind+"/"+name] = true
		}
		if len(documents) != want || len(names) != want {
			t.Errorf("%s: %d documents, %d names, want %d: %v", values, len(documents), len(names), want, names)
		}
	}
}

func deploymentOf(t *testing.T, values string) *apps.Deployment {
	t.Helper()
	documents, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		_, _, object := decode(t, document)
		deployment, is := object.(*apps.Deployment)
		if is {
			return deployment
		}
	}
	t.Fatal("no Deployment")
	return nil
}

// OpenShift's restricted-v2 admits the pod without a change.
func TestRestrictedSecurityContext(t *testing.T) {
	pod := deploymentOf(t, everything).Spec.Template.Spec
	c := pod.Containers[0].SecurityContext
	of := pod.SecurityContext
	switch {
	case of.RunAsNonRoot == nil || !*of.RunAsNonRoot || of.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault:
		t.Errorf("pod: %+v", of)
	case of.RunAsUser != nil || of.FSGroup != nil || c.RunAsUser != nil:
		t.Error("a user or group is fixed: OpenShift chooses it from the namespace's range")
	case *c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem || len(c.Capabilities.Add) > 0:
		t.Errorf("container: %+v", c)
	case len(c.Capabilities.Drop) != 1 || c.Capabilities.Drop[0] != "ALL":
		t.Errorf("capabilities: %+v", c.Capabilities)
	case *pod.AutomountServiceAccountToken || pod.HostNetwork:
		t.Error("the pod has more than it needs")
	}
	for _, volume := range pod.Volumes {
		if volume.ConfigMap == nil && volume.Secret == nil {
			t.Errorf("volume %s is of a kind that restricted-v2 need not admit", volume.Name)
		}
	}
}

// A changed configuration restarts the pods; arguments are ones that the exporter has.
func TestDeploymentFollowsTheValues(t *testing.T) {
	one := deploymentOf(t, "{}")
	two := deploymentOf(t, "{config: {institutions: {uib: {}}}, schedule: false, replicas: 2}")
	const sum = "checksum/config"
	if one.Spec.Template.Annotations[sum] == two.Spec.Template.Annotations[sum] {
		t.Error("another configuration, and the same checksum")
	}
	if *two.Spec.Replicas != 2 || !strings.Contains(strings.Join(two.Spec.Template.Spec.Containers[0].Args, " "), "--no-schedule") {
		t.Errorf("%+v", two.Spec)
	}
	if strings.Contains(strings.Join(one.Spec.Template.Spec.Containers[0].Args, " "), "--no-schedule") {
		t.Error("--no-schedule by default")
	}
}
