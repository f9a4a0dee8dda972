"""``mri2mesh worker``: one process that runs one job after the other for a window, which so never freezes.

Requests come as JSON objects, one per line, on standard input; events go the same way to standard output (UTF-8, errors
replaced). What libraries print goes to standard error. The end of standard input is the end of the process and
of all it started, whatever it is doing.

requests
    {"id": "1", "command": "reconstruct", "engine": NAME or null, "inputs": [PATH, ...], "out": DIR, "options": {...}}
        options by the names in the engines' declarations, `requests.converters`; and "live": true for surface events
    {"id": "2", "command": "describe", "inputs": [PATH, ...], "options": {"cameras": [...], "series": N}}
    {"id": "4", "command": "export", "source": DIR, "out": DIR, "options": {"formats": ["inp"], "edge_length_mm": 2}}
        options by the names in `export_requests.OPTIONS`
    {"id": "3", "command": "warm", "engine": NAME}      loads code, so that the next job begins sooner
    {"command": "cancel", "id": "1"}
    {"command": "quit"}
events
    {"event": "ready", "version": ..., "pid": ...}
    {"id", "event": "progress", "stage", "fraction"}    the first at once; fraction of the whole, 0 to 1
    {"id", "event": "warning", "message"}               what was done otherwise than asked
    {"id", "event": "surface", "fraction", "files": {NAME: PATH.vtp}, "views": [{"geometry", "surface_to_view"}, ...]}
        as it is now; the files are gone after the next but one; views: per radiograph, as in ``input`` of report.json
    {"id", "event": "done", "status": 0 or 1, ...}      reconstruct: "out", "report"; describe: "engine", "inputs";
        export: "out", "files", "said": a sentence about each volume mesh
    {"id", "event": "cancelled"}
    {"id", "event": "error", "kind": "input" | "memory" | "internal", "message": one clear line}
"""
