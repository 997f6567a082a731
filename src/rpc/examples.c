/* One example or more for each method. They play in one world, which tests/e2e/test_examples.py makes: a pool "build", in which process
 * 4711 runs, and process 4712 outside every pool. Long results have only the members that matter. */
#include "rpc/examples.h"

/* JSON as it stands. */
#define J(...) #__VA_ARGS__

#define PROCESS                                                                                                                       \
    "{\"id\":17,\"pool\":\"build\",\"pid\":4711,\"startTime\":\"134082333410000000\",\"startTimeExact\":true,"                       \
    "\"started\":\"2025-11-22T09:15:41.0000000Z\",\"joined\":\"2025-11-22T09:15:41.0000000Z\",\"joinedBy\":\"service\",\"ended\":null," \
    "\"ending\":\"running\",\"exitCode\":null,\"exitCodeName\":null,\"user\":\"BUILDER\\\\ci\",\"image\":\"C:\\\\ci\\\\tool.exe\","     \
    "\"commandLine\":\"tool.exe /all\"}"

const struct jp_example jp__examples_rpc_discover[] = {
    {"what there is", NULL, J({"openrpc": "1.3.2", "info": {"title": "JobPool", "x-protocol": 1}, "methods": [{"name": "rpc.discover"}]})}, {0}};

const struct jp_example jp__examples_service_ping[] = {{"is it there?", NULL, J({"protocol": 1})}, {0}};

const struct jp_example jp__examples_service_status[] = {
    {"how the service is", NULL,
     J({"protocol": 1, "program": "jobpoold", "version": "0.1.0", "deprecated": [], "pid": 1234, "started": "2025-11-22T09:00:00.0000000Z",
        "pools": 2, "members": 1, "connections": 1, "droppedNotifications": 0, "seq": 42, "database": {"degraded": false, "reason": null, "backlog": 0, "droppedEvents": 0},
        "sampling": {"degraded": false, "reason": null},
        "caller": {"user": "BUILDER\\ci", "sid": "S-1-5-21-1004336348-1177238915-682003330-1001", "rights": ["view"]}})},
    {0}};

const struct jp_example jp__examples_service_capabilities[] = {
    {"who enforces what", NULL, J({"host": "Windows 10.0.22631", "limits": {"active_processes": "kernel"}, "ui": "kernel", "nestedJobs": true})}, {0}};

const struct jp_example jp__examples_service_reload[] = {
    {"nothing has changed in the file", NULL, J({"added": [], "changed": [], "removed": [], "orphaned": []})}, {0}};

const struct jp_example jp__examples_pool_list[] = {
    {"all pools", NULL,
     J({"pools": [{"name": "build", "state": "active", "source": "config", "parent": null, "description": "compilers", "members": 1, "totalMembers": 1,
                  "rights": ["view", "assign", "launch"], "frozen": false}]})},
    {0}};

const struct jp_example jp__examples_pool_get[] = {
    {"a pool", J({"pool": "build"}),
     J({"name": "build", "state": "active", "source": "config", "parent": null, "description": "compilers", "members": 1, "totalMembers": 1,
        "children": [], "objectName": "Global\\JobPool.build", "limits": {"active_processes": 8, "job_memory": "512MiB"},
        "effective": {"active_processes": {"value": 8, "from": "build"}}, "when_full": "refuse", "waiting": 0,
        "frozen": false, "frozenBy": null, "keepFrozen": false, "troubles": []})},
    {0}};

const struct jp_example jp__examples_pool_create[] = {
    {"below another one", J({"name": "nightly", "parent": "build", "limits": {"job_memory": "256MiB"}}),
     J({"name": "nightly", "state": "active", "source": "transient", "parent": "build", "members": 0, "limits": {"job_memory": "256MiB"}})},
    {"for one run, by somebody who may launch in build", J({"name": "run-4711", "parent": "build", "ephemeral": true, "limits": {"active_processes": 4}}),
     J({"name": "run-4711", "state": "active", "source": "transient", "parent": "build", "members": 0, "ephemeral": true, "rights": ["view", "launch", "control"]})},
    {0}};

const struct jp_example jp__examples_pool_update[] = {
    {"another limit, and one less", J({"pool": "build", "limits": {"active_processes": 16, "job_memory": null}}),
     J({"name": "build", "limits": {"active_processes": 16}})},
    {0}};

const struct jp_example jp__examples_pool_delete[] = {
    {"with the process in it", J({"pool": "nightly", "terminate": true}), J({"pool": "nightly", "terminated": 1})}, {0}};

const struct jp_example jp__examples_pool_assign[] = {
    {"a running process", J({"pool": "build", "pid": 4712, "startTime": "134082333420000000"}),
     J({"pool": "build", "pid": 4712, "startTime": "134082333420000000", "id": 18, "seq": 43})},
    {0}};

const struct jp_example jp__examples_pool_launch[] = {
    {"by its arguments", J({"pool": "build", "argv": ["C:\\ci\\tool.exe", "/all"], "cwd": "C:\\ci", "env": {"STAGE": "2", "TRACE": null}}),
     J({"pool": "build", "pid": 4713, "startTime": "134082333430000000", "id": 18, "seq": 43})},
    {"by a command line", J({"pool": "build", "command": "C:\\ci\\tool.exe /all"}),
     J({"pool": "build", "pid": 4713, "startTime": "134082333430000000", "id": 18, "seq": 43})},
    {0}};

const struct jp_example jp__examples_pool_processes[] = {{"who is in it", J({"pool": "build"}), "{\"processes\":[" PROCESS "]}"}, {0}};

const struct jp_example jp__examples_pool_terminate[] = {
    {"all of them", J({"pool": "build", "exitCode": 3}), J({"pool": "build", "terminated": 1})}, {0}};

const struct jp_example jp__examples_pool_wait[] = {
    {"until the pool is empty", J({"pool": "nightly", "timeout": "30s"}), J({"pool": "nightly", "empty": true})},
    {"until a process has ended", J({"pool": "build", "pid": 4710, "timeout": "30s"}),
     J({"id": 16, "pool": "build", "pid": 4710, "startTime": "134082333400000000", "ended": "2025-11-22T09:15:40.0000000Z", "ending": "exited", "exitCode": 7})},
    {0}};

const struct jp_example jp__examples_pool_freeze[] = {
    {"suspend it", J({"pool": "build"}), J({"name": "build", "frozen": true, "frozenBy": null, "keepFrozen": false})}, {0}};

const struct jp_example jp__examples_pool_thaw[] = {
    {"and let it go on", J({"pool": "build"}), J({"name": "build", "frozen": false, "frozenBy": null, "keepFrozen": false})}, {0}};

const struct jp_example jp__examples_pool_match[] = {
    {"where one would go", J({"pid": 4712}),
     J({"processes": [{"pid": 4712, "startTime": "134082333420000000", "image": "C:\\ci\\tool.exe", "user": "BUILDER\\ci", "pool": null, "rule": null, "why": null}]})},
    {0}};

const struct jp_example jp__examples_pool_usage[] = {
    {"a picture of a pool, with its processes", J({"pool": "build", "processesOf": "build"}),
     "{\"processors\":8,\"pools\":[{\"name\":\"build\",\"parent\":null,\"state\":\"active\",\"source\":\"config\",\"frozen\":false,\"members\":1,\"totalMembers\":1,"
     "\"memoryLimitBytes\":536870912,\"processLimit\":8}],\"processes\":[" PROCESS "]}"},
    {0}};

const struct jp_example jp__examples_process_get[] = {{"one that runs", J({"pid": 4711}), PROCESS}, {0}};

const struct jp_example jp__examples_process_terminate[] = {
    {"one process", J({"pid": 4711, "startTime": "134082333410000000", "exitCode": 3}),
     J({"pool": "build", "pid": 4711, "startTime": "134082333410000000", "exitCode": 3})},
    {0}};

const struct jp_example jp__examples_events_subscribe[] = {
    {"from now on", J({"pools": ["build"], "messages": ["NEW_PROCESS", "EXIT_PROCESS"]}), J({"subscription": 1, "seq": 42})},
    {"everything from the beginning", J({"fromSeq": 1}), J({"subscription": 1, "seq": 42})},
    {0}};

const struct jp_example jp__examples_events_unsubscribe[] = {{"no more", J({"subscription": 1}), J({"subscription": 1})}, {0}};

const struct jp_example jp__examples_events_query[] = {
    {"who came into a pool", J({"pools": ["build"], "messages": ["PROCESS_ASSIGNED"], "limit": 1}),
     J({"events": [{"seq": 41, "time": "2025-11-22T09:15:41.0000000Z", "pool": "build", "message": "PROCESS_ASSIGNED", "pid": 4711,
                    "startTime": "134082333410000000", "process": "tool.exe", "origin": "service"}], "more": false})},
    {0}};

const struct jp_example jp__examples_accounting_summary[] = {
    {"all that a pool has used", J({"pool": "build"}),
     J({"pools": [{"pool": "build", "processes": 2, "running": 1, "exited": 1, "crashed": 0, "terminated": 0, "unknown": 0, "failures": 1, "unobserved": 0}]})},
    {0}};

const struct jp_example jp__examples_accounting_processes[] = {
    {"who runs in a pool", J({"pool": "build", "ending": "running"}), "{\"processes\":[" PROCESS "],\"more\":false}"}, {0}};

const struct jp_example jp__examples_accounting_report[] = {
    {"what each program in a pool has used", J({"by": ["pool", "image"], "pools": ["build"], "top": 10}),
     J({"rows": [{"pool": "build", "image": "tool.exe", "processes": 2, "running": 1, "exited": 1, "failures": 1}], "groups": 1,
        "total": {"processes": 2}, "complete": true, "completeFrom": null})},
    {0}};

const struct jp_example jp__examples_accounting_series[] = {
    {"a pool's last day", J({"pools": ["build"], "points": 200}),
     J({"from": "2025-11-21T09:20:00.0000000Z", "to": "2025-11-22T09:20:00.0000000Z", "step100ns": 6000000000, "complete": true, "completeFrom": null,
        "more": false, "series": [{"pool": "build", "points": [{"time": "2025-11-22T09:10:00.0000000Z"}]}]})},
    {0}};

const struct jp_example jp__examples_accounting_purge[] = {
    {"what is older than a year", J({"olderThan": "365d"}), J({"processes": 0, "events": 0})}, {0}};

const struct jp_example jp__examples_accounting_reset[] = {
    {"as they stood", J({"pool": "build"}),
     J({"since": null, "processes": 1, "exited": 1, "crashed": 0, "terminated": 0, "unknown": 0, "failures": 1, "unobserved": 0})},
    {0}};

const struct jp_example jp__examples_accounting_audit[] = {
    {"the last thing that somebody asked for", J({"limit": 1, "newest": true}),
     J({"records": [{"user": "BUILDER\\ci", "method": "pool.update", "pool": "build", "pid": null, "allowed": true, "error": null, "detail": null,
                     "count": 1}], "more": false})},
    {0}};

const struct jp_example jp__examples_rpc_cancel[] = {
    {"a request that is not there any more", J({"id": 7}), J({"cancelled": false})}, {0}};

const struct jp_example jp__examples_job_create[] = {
    {"a job of one's own", J({"name": "Local\\scratch"}), J({"job": "#1", "name": "Local\\scratch", "existed": false})}, {0}};

const struct jp_example jp__examples_job_open[] = {
    {"a pool's job object", J({"name": "build", "desiredAccess": ["JOB_OBJECT_QUERY"]}),
     J({"job": "#1", "name": "Global\\JobPool.build", "existed": true})},
    {0}};

const struct jp_example jp__examples_job_close[] = {{"a handle", J({"job": "#1"}), J({"job": "#1"})}, {0}};

const struct jp_example jp__examples_job_assign_process[] = {
    {"into a job", J({"job": "#1", "pid": 4712}), J({"job": "#1", "pid": 4712, "startTime": "134082333420000000"})}, {0}};

const struct jp_example jp__examples_job_is_process_in_job[] = {
    {"in this one", J({"pid": 4711, "job": "build"}), J({"inJob": true})}, {"in any", J({"pid": 4711, "job": null}), J({"inJob": true})}, {0}};

const struct jp_example jp__examples_job_query_information[] = {
    {"a class by name", J({"job": "#1", "class": "BasicAccountingInformation"}),
     J({"class": 1, "name": "JobObjectBasicAccountingInformation", "info": {"TotalUserTime": 0, "TotalProcesses": 0, "ActiveProcesses": 0}})},
    {"a list", J({"job": "build", "class": 3}), J({"class": 3, "name": "JobObjectBasicProcessIdList", "info": [4711]})},
    {0}};

const struct jp_example jp__examples_job_set_information[] = {
    {"by names", J({"job": "#1", "class": 4, "info": {"UIRestrictionsClass": ["JOB_OBJECT_UILIMIT_DESKTOP"]}}),
     J({"class": 4, "name": "JobObjectBasicUIRestrictions"})},
    {0}};

const struct jp_example jp__examples_job_terminate[] = {
    {"all processes of a pool", J({"job": "build", "exitCode": 3}), J({"job": "build", "exitCode": 3})}, {0}};

const struct jp_example jp__examples_job_grant_user_handle[] = {
    {"a window", J({"handle": 65552, "job": "build", "grant": true}), J({"job": "build", "granted": true})}, {0}};
