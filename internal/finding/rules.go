package finding

// Rules returns all rules, sorted by ID. docs/reference/rules.md is generated from them.
func Rules() []Rule {
	return []Rule{
		DuplicateObject(), UnbuildableFile(), PathTaken(), UnbuildableKustomization(), UncheckedKustomization(), HidingKustomization(), RepeatedField(),
		ReservedName(), UnstorablePath(),
		OtherVersion(), OtherNamespace(), OtherRoot(), SecondRequest(), LargeWork(), SlowBuild(), PathsDifferOnlyInCase(), NotApplied(), UnwritableObject(),
		UnreadableInput(), UnknownField(), UndecodableContent(), UnsafePath(), InvalidObject(), RepeatedObject(), IgnoredObject(),
		UnusedIgnore(), InvalidPipeline(), KeptFromBefore(), UnsupportedVersion(), UnreadDirectory(),
		NoDestination(), Misplaced(), StoreMissing(), Unsupported(), SharedPath(), PlacementWaits(), InvalidAnnotation(), PlacementsDisagree(), RestlessWork(),
		DestinationAbsent(), OldCopy(), FilepathModeChanged(), PlacedTwice(), OrphanedPlacement(), RolloutFailed(), RolloutIgnored(),
		StoreFailed(), DeletionsRefused(), DeletionsHeld(), BadRecord(), DoubtfulStore(), OtherOwner(), PlacementRefused(), ControllersFight(), StoreWithoutShard(), OverBudget(),
		WriteRefused(), PolicyNotInForce(), PolicyUnchecked(), OtherScheduler(), NotPromoted(), InvalidLiveStore(), UnusablePlacement(), PolicyDeniesSelf(),
		RolledBack(), NotRolledBack(),
		KindNotServed(), RemovedAPI(), DeprecatedAPI(), NamespaceMissing(), InvalidField(), DroppedField(), InvalidMetadata(), ImmutableField(),
		DefinitionRemoved(), ApplyOrder(), InvalidProfile(), UnusedProfile(), StaleProfile(), DisputedProfile(), PartialProfile(),
	}
}

// DuplicateObject returns KS001: an object is defined twice in one root that Flux builds.
func DuplicateObject() Rule {
	return Rule{
		ID: "KS001", Name: "DuplicateObject", Severity: Error,
		Summary: "The same Kubernetes object comes from two places below one root that Flux builds.",
		Why: "Flux builds every file below a Destination's dependencies/ or resources/ as one kustomization. " +
			"kustomize rejects an id (group, version, kind, namespace, name) that it has already seen, the whole build fails, " +
			"and nothing in that root is applied any more, not even files that have nothing to do with the conflict. " +
			"The placement that came later is held back until the other one is removed, and is then written automatically; everything else is written.",
		Fix: "Let only one of them define the object: move what every request needs (CRDs, operators, namespaces) into the Promise's dependencies, " +
			"or put the request's name into the object's name.",
	}
}

// UnbuildableFile returns KS002: a file would make Flux's whole build fail.
func UnbuildableFile() Rule {
	return Rule{
		ID: "KS002", Name: "UnbuildableFile", Severity: Error,
		Summary: "A YAML file does not consist of Kubernetes objects, so Flux cannot build the root it would lie in.",
		Why: "Flux reads every .yaml and .yml below a root as Kubernetes objects. One file with malformed YAML, without kind or " +
			"metadata.name, fails the whole build. The placement with that file is held back.",
		Fix: "Correct the file, or give it another extension than .yaml or .yml if it is not meant for the cluster.",
	}
}

// PathTaken returns KS003: a path is taken by another placement or by a foreign file.
func PathTaken() Rule {
	return Rule{
		ID: "KS003", Name: "PathTaken", Severity: Error,
		Summary: "Two Works claim the same path of a Destination, or one needs a directory where another has a file; or a file that does not belong to any placement is there.",
		Why: "In mode nestedByMetadata the path consists of the Promise, the request, the pipeline and the group; in mode none it is the Work's own. " +
			"Two Works with one path would overwrite each other in every round, and no store can hold a file `app` and a file `app/cm.yaml`: " +
			"git cannot store such a tree, and S3 servers reject or hide one of the two. The Work that came later is held back; " +
			"files, symlinks and submodules that do not belong to any placement count as earlier. It is written automatically once the path is free.",
		Fix: "Remove one of the Works, or have its pipeline write to another path; if a file that does not belong to any placement is in the way, move it.",
	}
}

// UnbuildableKustomization returns KS004: a directory's own kustomization fails to build.
func UnbuildableKustomization() Rule {
	return Rule{
		ID: "KS004", Name: "UnbuildableKustomization", Severity: Error,
		Summary: "A directory has its own kustomization, and it does not build.",
		Why: "Flux adds a directory with a kustomization.yaml as one resource and lets kustomize build it. If that fails, " +
			"the whole root it lies in fails. The placement with that directory is held back.",
		Fix: "Correct the kustomization as Flux's message says; it is accepted once `kustomize build` of its directory succeeds.",
	}
}

// UncheckedKustomization returns KS005: a kustomization loads remote resources.
func UncheckedKustomization() Rule {
	return Rule{
		ID: "KS005", Name: "UncheckedKustomization", Severity: Error,
		Summary: "A kustomization refers to a resource outside the store, so the result of its build is not known.",
		Why: "kustomize would fetch it over the network. kratix-schedule never does: the response could differ from the one that Flux gets, " +
			"and a pipeline's output must not make it open connections. The result cannot be checked, so the placement is held back.",
		Fix: "Put the files that it refers to into the pipeline's output.",
	}
}

// HidingKustomization returns KS006: there is a kustomization above the files of placements.
func HidingKustomization() Rule {
	return Rule{
		ID: "KS006", Name: "HidingKustomization", Severity: Error,
		Summary: "A kustomization in the store lies above the files of placements, and Flux builds only what it lists.",
		Why: "With a kustomization.yaml there, Flux no longer generates one for what lies below. Files that it does not list are not applied, " +
			"and objects that were applied from them before are pruned, without any error.",
		Fix: "Remove the kustomization, or have Flux leave it out with a line in .sourceignore.",
	}
}

// RepeatedField returns KS007: an object has a field twice.
func RepeatedField() Rule {
	return Rule{
		ID: "KS007", Name: "RepeatedField", Severity: Error,
		Summary: "An object has a field twice: kustomize builds the root with it, but Flux then cannot serialize the result.",
		Why: "Flux has kustomize serialize the objects after the build, which fails for the whole root (`kustomize build failed: " +
			"map[string]interface {}(nil): yaml: unmarshal errors`), and nothing in it is applied. " +
			"kubectl and the API server use the last of the two, and published manifests of well-known products have such fields " +
			"(the Beat of ECK 2.8.0 as its chart renders it), but with Flux each stops everything else in the root. So the placement is held back.",
		Fix: "Remove one of the two from the file.",
	}
}

// UnwritableObject returns KS018: kustomize builds an object, but Flux cannot encode it.
func UnwritableObject() Rule {
	return Rule{
		ID: "KS018", Name: "UnwritableObject", Severity: Error,
		Summary: "Flux cannot serialize an object after the build, or decode it again.",
		Why: "After the build Flux's kustomize-controller serializes all objects as YAML and decodes them again. That fails for the whole root if an object has a value " +
			"that JSON cannot represent: a key that is not a string (`80: shop/web:8080`, `true:`), .inf and .nan, a template that was not rendered (`{{ x }}`), " +
			"a value that is not of the type its tag names; or if an object has no apiVersion. kubectl accepts some of them. Nothing in the root is applied " +
			"any more, so the placement is held back.",
		Fix: "Put keys and values in quotes where a string is meant, render the template, and check the spelling of apiVersion.",
	}
}

// NotApplied returns KS017: Flux silently leaves out a file, an object or a part of an object.
func NotApplied() Rule {
	return Rule{
		ID: "KS017", Name: "NotApplied", Severity: Warning,
		Summary: "Flux silently leaves out an object, a file or a part of an object.",
		Why: "Flux does not treat a document as a Kubernetes object if its name or apiVersion is not a string (`name: 2024`). A file whose name does not end " +
			"in .yaml or .yml is not read at all, and if one label is a number, all labels are lost. Flux reports the root as applied, and the request looks complete.",
		Fix: "Put the value in quotes.",
	}
}

// ReservedName returns KS008: a Work has a file with a reserved name.
func ReservedName() Rule {
	return Rule{
		ID: "KS008", Name: "ReservedName", Severity: Error,
		Summary: "A Work has a file with a name that has a special meaning: for git, for Flux, or for the records of placements.",
		Why: "`.kratix` in a Destination's directory holds the records, which decide which files are kept and removed. A `.sourceignore` above the files " +
			"of others hides them, and Flux prunes what was applied from them. `.gitmodules`, `.gitattributes` and other names that begin with `.git` change a checkout for everyone, " +
			"and a server that checks what it receives rejects the whole push because of an invalid one. " +
			"Only the placement with the name is held back; what it has stored stays.",
		Fix: "Have the pipeline leave the file out or give it another name; if the file is intended, allow the name with --allow-name.",
	}
}

// UnstorablePath returns KS009: no store of this kind can hold the path.
func UnstorablePath() Rule {
	return Rule{
		ID: "KS009", Name: "UnstorablePath", Severity: Error,
		Summary: "A placement has a path that its state store cannot hold, or that cannot be checked out.",
		Why: "A name may have 255 bytes, a path in a git repository 3,840 with the store's own path (Linux takes 4,096, and a checkout lies in a directory), " +
			"a key in a bucket 1,024. And no store can hold a file and a directory of the same name. The store would reject the whole write, " +
			"or accept it and leave a repository that cannot be checked out. Only the placement with the path is held back.",
		Fix: "Have the pipeline write to shorter paths, or shorten the path of the Destination or its store; if one file is in the way of another, rename it.",
	}
}

// OtherVersion returns KS010: an object is defined in two API versions.
func OtherVersion() Rule {
	return Rule{
		ID: "KS010", Name: "OtherVersion", Severity: Warning,
		Summary: "The same object is defined twice, in two versions of its API.",
		Why: "kustomize treats the version as part of the identity and sees two objects; to the API server they are one. " +
			"Flux keeps overwriting one with the other, and removing either deletes the object.",
		Fix: "Keep one of the two.",
	}
}

// OtherNamespace returns KS011: a cluster-scoped object is defined under two namespaces.
func OtherNamespace() Rule {
	return Rule{
		ID: "KS011", Name: "OtherNamespace", Severity: Warning,
		Summary: "The same cluster-scoped custom object is defined twice, with two namespaces.",
		Why: "The kind's CustomResourceDefinition says that the kind is cluster-scoped, so both are one object. kustomize knows the scope only of " +
			"built-in kinds and sees two. Flux keeps overwriting one with the other, and removing either deletes the object.",
		Fix: "Keep one of the two, without a namespace.",
	}
}

// OtherRoot returns KS012: an object is defined in two roots of one cluster.
func OtherRoot() Rule {
	return Rule{
		ID: "KS012", Name: "OtherRoot", Severity: Warning,
		Summary: "The same object is in dependencies/ and in resources/ of one Destination.",
		Why: "Flux applies each of the two with its own Kustomization. Both claim the object and overwrite each other, " +
			"and when one no longer has it, its prune deletes it for both.",
		Fix: "Keep it in one of them: in the Promise's dependencies if every request needs it.",
	}
}

// SecondRequest returns KS013: a second request would define the same object again.
func SecondRequest() Rule {
	return Rule{
		ID: "KS013", Name: "SecondRequest", Severity: Error,
		Summary: "An object of a request does not depend on the request: a second request on the same Destination will conflict.",
		Why: "For CustomResourceDefinitions, Namespaces, ClusterRoles and everything else with a fixed name, the pipeline's output is the same for every request. " +
			"With the second request the Destination's resources would no longer build.",
		Fix: "Move it into the Promise's dependencies, put the request's name into its name, or run with --on-conflict share.",
	}
}

// LargeWork returns KS014: a Work is larger than 1 MiB.
func LargeWork() Rule {
	return Rule{
		ID: "KS014", Name: "LargeWork", Severity: Warning,
		Summary: "A Work is larger than 1 MiB.",
		Why: "The Kubernetes API stores objects in etcd, which accepts at most 1.5 MiB by default. A pipeline that writes a little more " +
			"then fails with an error that does not name the file.",
		Fix: "Split the output over several pipelines, or let Flux fetch the large part from its origin.",
	}
}

// SlowBuild returns KS015: kustomize needs a long time to build a root.
func SlowBuild() Rule {
	return Rule{
		ID: "KS015", Name: "SlowBuild", Severity: Warning,
		Summary: "A root has so many objects that Flux's build of it takes long.",
		Why: "kustomize compares every object with every one before it, so the time grows with the square of their number. " +
			"Flux rebuilds every root in each interval, and gives up after its timeout.",
		Fix: "Spread the requests over more Destinations.",
	}
}

// PathsDifferOnlyInCase returns KS016: two paths are the same on some file systems.
func PathsDifferOnlyInCase() Rule {
	return Rule{
		ID: "KS016", Name: "PathsDifferOnlyInCase", Severity: Warning,
		Summary: "Two paths of one Destination differ only in upper and lower case, or in the way that Unicode spells an accent.",
		Why: "The store holds both, and Flux on Linux reads both. On macOS and Windows a checkout has only one of the two, and a commit " +
			"from there removes or changes the other.",
		Fix: "Rename one of them.",
	}
}

// UnreadableInput returns KS020: a file or document of the input cannot be read.
func UnreadableInput() Rule {
	return Rule{
		ID: "KS020", Name: "UnreadableInput", Severity: Error,
		Summary: "A file or a document of the input cannot be read.",
		Why: "The content of the document is unknown, so it is ignored. While the input has such a document, nothing is removed from any store: " +
			"the document may ask for the files there.",
		Fix: "Correct the YAML at the line that the message names.",
	}
}

// UnknownField returns KS021: an object has an unknown field.
func UnknownField() Rule {
	return Rule{
		ID: "KS021", Name: "UnknownField", Severity: Warning,
		Summary: "An object has an unknown field; the field is ignored.",
		Why:     "Newer versions of Kratix add fields. The field may also be misspelt, and then has no effect.",
		Fix:     "Check the spelling, or use a version of kratix-schedule that supports the field.",
	}
}

// UndecodableContent returns KS022: a workload cannot be unpacked.
func UndecodableContent() Rule {
	return Rule{
		ID: "KS022", Name: "UndecodableContent", Severity: Error,
		Summary: "A workload's content cannot be decoded.",
		Why: "A workload's content is compressed with gzip, then encoded in base64. The group with the workload is not written, not even in part: its other files " +
			"may not work without it. What an earlier version of the Work wrote stays.",
		Fix: "Run the pipeline again, or make the Work with `kratix-schedule work`.",
	}
}

// UnsafePath returns KS023: a path leads out of its directory, or cannot be written on every store.
func UnsafePath() Rule {
	return Rule{
		ID: "KS023", Name: "UnsafePath", Severity: Error,
		Summary: "A path leads out of its directory, or cannot be written on every store.",
		Why:     "With such a path a Work could overwrite files of other Destinations. Nothing with it is written.",
		Fix:     "Use a relative path without `..`.",
	}
}

// InvalidObject returns KS024: an object can be read but is invalid.
func InvalidObject() Rule {
	return Rule{
		ID: "KS024", Name: "InvalidObject", Severity: Error,
		Summary: "An object lacks a required field.",
		Why:     "Names become parts of paths; with an empty name, files would be written into other owners' directories.",
		Fix:     "Complete the object as the message says.",
	}
}

// RepeatedObject returns KS025: an object is in the input twice.
func RepeatedObject() Rule {
	return Rule{
		ID: "KS025", Name: "RepeatedObject", Severity: Error,
		Summary: "The input has two objects of one kind, namespace and name.",
		Why:     "A cluster can have only one of them. The first one in the order of the files is used.",
		Fix:     "Remove or rename one of them.",
	}
}

// IgnoredObject returns KS026: an object is of a kind that is not used.
func IgnoredObject() Rule {
	return Rule{
		ID: "KS026", Name: "IgnoredObject", Severity: Note,
		Summary: "The input has an object of a kind that is not read here.",
		Why:     "Works, Destinations, state stores and their Secrets are read; everything else in a directory is ignored.",
		Fix:     "Nothing, if this is intended.",
	}
}

// NoDestination returns KS040: a group fits no Destination.
func NoDestination() Rule {
	return Rule{
		ID: "KS040", Name: "NoDestination", Severity: Error,
		Summary: "No Destination fits a group of a Work, so it is not written anywhere.",
		Why:     "No Destination that accepts the group has the labels that the Promise and its pipelines select.",
		Fix:     "Add the labels to a Destination, or select others; if one is full or cordoned, make room. `kratix-schedule explain WORK -f PATH` shows what each lacks.",
	}
}

// Misplaced returns KS041: the Destination of a placement no longer fits.
func Misplaced() Rule {
	return Rule{
		ID: "KS041", Name: "Misplaced", Severity: Warning,
		Summary: "A placement is on a Destination that no longer fits; it stays there and is kept up to date.",
		Why:     "Moving it would delete what runs there. Kratix marks such placements kratix.io/misplaced as well.",
		Fix:     "Restore the labels of the Destination, or let run move the placement with --on-misplaced move.",
	}
}

// StoreMissing returns KS042: a state store or its Secret does not exist.
func StoreMissing() Rule {
	return Rule{
		ID: "KS042", Name: "StoreMissing", Severity: Error,
		Summary: "A Destination names a state store, or a store names a Secret, that does not exist.",
		Why: "Nothing can be written to the Destination, and its content cannot be read: it is skipped, " +
			"and a request that is placed only there is placed on another Destination.",
		Fix: "Add the object that is named, or correct the reference.",
	}
}

// Unsupported returns KS043: this version does not support a valid setting.
func Unsupported() Rule {
	return Rule{
		ID: "KS043", Name: "Unsupported", Severity: Error,
		Summary: "An object uses a feature that this version does not support.",
		Why:     "The object is ignored rather than treated as something else.",
		Fix:     "Use what the message names, or a newer version of kratix-schedule.",
	}
}

// SharedPath returns KS044: two Destinations have overlapping paths.
func SharedPath() Rule {
	return Rule{
		ID: "KS044", Name: "SharedPath", Severity: Error,
		Summary: "Two Destinations write to the same path of one store, or one path is inside the other.",
		Why:     "Each would treat the other's files as its own, or Flux would apply both sets to one cluster. Neither is written.",
		Fix:     "Give each Destination its own path.",
	}
}

// PlacementWaits returns KS045: a group is not placed yet, to avoid placing it twice.
func PlacementWaits() Rule {
	return Rule{
		ID: "KS045", Name: "PlacementWaits", Severity: Warning,
		Summary: "A group waits to be placed, since it may already be on a Destination that cannot be read now.",
		Why:     "The placements of a Destination are recorded in its store. While the store, or the Destination itself, cannot be read, a request that is placed elsewhere could exist twice.",
		Fix:     "Correct what is reported about the Destination (KS020, KS023, KS024, KS043, KS044), its store (KS060) or its owner (KS065); the group is then placed automatically.",
	}
}

// InvalidAnnotation returns KS046: an annotation of this program is unknown or invalid.
func InvalidAnnotation() Rule {
	return Rule{
		ID: "KS046", Name: "InvalidAnnotation", Severity: Error,
		Summary: "An annotation kratix-schedule.io/... of a Destination or a Work is not known there, or has a value that cannot be read.",
		Why: "The intended value is unknown. A Destination whose cordon or capacity cannot be read accepts no new placements; " +
			"a weight that cannot be read counts as 1. What is already placed stays.",
		Fix: "Set the annotation to a value that the message allows, in quotes, or remove it.",
	}
}

// PlacementsDisagree returns KS047: a WorkPlacement contradicts a record.
func PlacementsDisagree() Rule {
	return Rule{
		ID: "KS047", Name: "PlacementsDisagree", Severity: Error,
		Summary: "A WorkPlacement and the record in the store name different Destinations for one group of a request.",
		Why: "A request's group is on one Destination. The one in the record is kept up to date; the other is left as it is, " +
			"since moving the group could run the workload twice, or nowhere.",
		Fix: "Find out where the workload runs, then delete the WorkPlacement or the record that is wrong.",
	}
}

// RestlessWork returns KS048: a Work changes again and again.
func RestlessWork() Rule {
	return Rule{
		ID: "KS048", Name: "RestlessWork", Severity: Warning,
		Summary: "A Work changes again and again, and each change is written.",
		Why: "Each change is a commit, and Flux applies each. Usually a pipeline is not idempotent: it writes the time, a random value or " +
			"a new password into its output, or writes lists in a different order each time, so that each run for the same request " +
			"has a different result. It is reported after twenty changes without ten quiet minutes in between; only a daemon detects it.",
		Fix: "Compare two commits of the store to see what changes (`git log -p` of the Work's directory), and have the pipeline write the same " +
			"for the same request: no time, no random value, lists in a fixed order, a new password only if there is none yet.",
	}
}

// StoreFailed returns KS060: a store cannot be read or written.
func StoreFailed() Rule {
	return Rule{
		ID: "KS060", Name: "StoreFailed", Severity: Error,
		Summary: "A state store cannot be read or written.",
		Why:     "Other stores are read and written as usual. Nothing new is placed that might already be in the store that cannot be read.",
		Fix:     "Do as the message says.",
	}
}

// BadRecord returns KS063: a record in a store cannot be read.
func BadRecord() Rule {
	return Rule{
		ID: "KS063", Name: "BadRecord", Severity: Warning,
		Summary: "A record of a placement in a store cannot be read.",
		Why: "Records say which files belong to which placement. As long as the Work that the record is named after exists, its placement stays " +
			"where it is and the record is rewritten. If the Work is gone, the files that its record listed count as foreign, and are not removed.",
		Fix: "Nothing, if the Work still exists. Otherwise delete the record, and the files that it listed: the store's history shows them.",
	}
}

// DoubtfulStore returns KS064: a store works, but not as it should.
func DoubtfulStore() Rule {
	return Rule{
		ID: "KS064", Name: "DoubtfulStore", Severity: Warning,
		Summary: "A state store works, but something about it is doubtful.",
		Why: "Nothing is held back, but it is unsafe, or will stop working: a certificate that is not verified, a Secret with " +
			"white space around a value, a repository that has moved, attributes that make a checkout differ from what was written.",
		Fix: "Do as the message says.",
	}
}

// OtherOwner returns KS065: a Destination has placements that another controller has recorded.
func OtherOwner() Rule {
	return Rule{
		ID: "KS065", Name: "OtherOwner", Severity: Error,
		Summary: "A Destination's directory holds placements that another owner has recorded; it is left alone.",
		Why: "Two writers with different inputs would remove each other's placements in turn. Requests that may already be on the Destination " +
			"wait, since they would be placed twice.",
		Fix: "Give both the same --owner-id if they are replicas of one controller; otherwise give their Destinations different paths. " +
			"If the other controller no longer exists, run once with --adopt to take over what it has recorded. To plan what a controller in a cluster would do, " +
			"pass its id as --owner-id: the UID of its namespace kube-system, unless it has another one.",
	}
}

// WriteRefused returns KS070: an object of the cluster cannot be written.
func WriteRefused() Rule {
	return Rule{
		ID: "KS070", Name: "WriteRefused", Severity: Error,
		Summary: "The Kubernetes API server refuses to create, change or delete an object.",
		Why: "A webhook, an admission policy, a quota or a missing permission prevents it. The files in the state stores are not affected, and " +
			"all other objects are written. The write is tried again after 1 s, 2 s, 4 s, up to 5 minutes, and at once when the object or " +
			"what is to be written changes.",
		Fix: "Do as the API server's message says: allow the write in the webhook, policy or quota that it names, or grant the permission to the ServiceAccount.",
	}
}

// StoreWithoutShard returns KS068: no shard seems to write to a state store.
func StoreWithoutShard() Rule {
	return Rule{
		ID: "KS068", Name: "StoreWithoutShard", Severity: Warning,
		Summary: "Placements wait for a state store of another shard, and no shard has written there for ten minutes.",
		Why: "With --watch-label-selector a process writes only to the state stores whose labels match. It cannot see which other shards exist. " +
			"A store that no shard selects, or whose shard is down, is read and planned for by all shards, and written by none.",
		Fix: "Make sure that exactly one shard selects the state store (kubectl get gitstatestores,bucketstatestores --show-labels), and that it runs and can write there.",
	}
}

// OverBudget returns KS069: a state store exceeds the limits that git hosts recommend.
func OverBudget() Rule {
	return Rule{
		ID: "KS069", Name: "OverBudget", Severity: Warning,
		Summary: "A repository is larger, or is read more often, than git hosts recommend.",
		Why: "Everything is written nevertheless. Beyond such numbers, pushes and fetches become slow, and a host may throttle the repository for everybody. " +
			"The numbers are those that GitHub publishes: 3,000 entries in a directory, 15 reads a second, and 10 GiB for a repository with its history. " +
			"They are counted for state stores on git servers only.",
		Fix: "Divide the Destinations over several state stores, each in a repository of its own, or use a BucketStateStore or an OCIStateStore.",
	}
}

// PlacementRefused returns KS066: a store's server rejects a placement.
func PlacementRefused() Rule {
	return Rule{
		ID: "KS066", Name: "PlacementRefused", Severity: Error,
		Summary: "The server of a state store refuses what a placement would write; the placement is held back.",
		Why: "A hook, push protection or the object store itself rejects one of its files. Everything else in the store is written, and the stored " +
			"files of the placement stay as they are. The placement is tried again when its files change, after 5 minutes and then less and less " +
			"often, at least every 6 hours, and when the process receives SIGHUP; `run --once` tries each time.",
		Fix: "Change what the message names in the pipeline's output, or have the server accept it. If it refuses every change, let the " +
			"user that writes pass the rule (a protected branch, for one).",
	}
}
