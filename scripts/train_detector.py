"""Make the pictures, train the package's person detector, and export it.

    python scripts/train_detector.py pictures --out POOLS --photographs FOLDER --videos CLIP
    python scripts/train_detector.py answers --pictures POOLS --teacher yolov8s_openvino_model
    python scripts/train_detector.py train --pictures POOLS --out RUN
    python scripts/train_detector.py export --run RUN
    python scripts/train_detector.py quantize --out DIR

Training goes on where it stopped when it is started again with the same folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from detector_training.forms import write_forms
from detector_training.int8 import write_int8_form
from detector_training.pools import Ingredients, ask, make_pools
from detector_training.training import Recipe, train

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"
TEACHER = SHARED / "models/yolov8n_int8_openvino_model"
CLIPS = "room_cam1.mp4", "room_cam2.mp4", "one_by_one.mp4"
"""Unlabelled clips that may be learnt from; the clip of a shop is for testing alone."""


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    pictures = steps.add_parser("pictures", help="make everything that is learnt from")
    pictures.add_argument("--out", type=Path, required=True, help="folder of the pools")
    pictures.add_argument("--shared", type=Path, default=SHARED, help="data, models and tools")
    pictures.add_argument(
        "--videos", type=Path, nargs="*", default=[], help="more unlabelled clips"
    )
    pictures.add_argument(
        "--photographs", type=Path, required=True, help="folder of photographs that nobody labelled"
    )
    pictures.add_argument("--scenes", type=int, default=2, help="of the composing tool")
    pictures.add_argument("--drawn", type=int, default=480, help="pictures of rendered people")
    pictures.add_argument("--composed", type=int, default=1500, help="pictures of cut-outs")
    pictures.add_argument("--seed", type=int, default=0)
    answers = steps.add_parser(
        "answers", help="ask the teacher about several views of each picture"
    )
    answers.add_argument("--pictures", type=Path, required=True)
    answers.add_argument("--teacher", type=Path, required=True, help="YOLO model in OpenVINO form")
    train = steps.add_parser("train", help="train, or go on training")
    train.add_argument("--pictures", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True, help="folder of the run")
    train.add_argument("--model", default="yolov8n.yaml", help="the teacher's architecture")
    train.add_argument("--teacher", type=Path, default=TEACHER, help="labels what nobody labelled")
    train.add_argument(
        "--answers", action="store_true", help="learn from `answers`, in place of every stage's map"
    )
    train.add_argument(
        "--init",
        type=Path,
        nargs="*",
        default=[],
        help="state.pt, *.safetensors or weights of ultralytics to begin with; of several, each "
        "layer's first that fits",
    )
    train.add_argument("--steps", type=int, default=8000)
    train.add_argument("--batch", type=int, default=16)
    train.add_argument("--rate", type=float, default=1e-2)
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--seed", type=int, default=0)
    export = steps.add_parser("export", help="write the forms that ship")
    export.add_argument("--run", type=Path, required=True)
    export.add_argument("--out", type=Path, default=REPOSITORY / "pipeline/detect/weights")
    export.add_argument(
        "--half-of", type=Path, nargs="*", default=[], help="take the mean with what it began with"
    )
    quantize = steps.add_parser("quantize", help="write the int8 form of the OpenVINO form")
    quantize.add_argument("--shared", type=Path, default=SHARED, help="data, models and tools")
    quantize.add_argument("--out", type=Path, required=True, help="folder for the form's folder")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Do one step; return the exit code."""
    options = _arguments(argv)
    if options.step == "pictures":
        clips = [options.shared / "data/videos" / name for name in CLIPS]
        videos, stock = [*clips, *options.videos], options.photographs
        source = Ingredients(options.shared, videos, stock, options.out, options.seed)
        make_pools(
            source, scenes=options.scenes, drawn=options.drawn, composed_count=options.composed
        )
    elif options.step == "answers":
        ask(options.pictures, options.teacher)
    elif options.step == "train":
        recipe = Recipe(
            options.model,
            options.steps,
            options.batch,
            options.rate,
            options.seed,
            fixed_norms=options.answers,
        )
        train(
            options.pictures,
            options.out,
            recipe,
            teacher=None if options.answers else options.teacher,
            device=options.device,
            begin_with=options.init,
        )
    elif options.step == "quantize":
        write_int8_form(options.out, [options.shared / "data/videos" / name for name in CLIPS])
    else:
        write_forms(options.run, options.out, half_of=options.half_of)
    return 0


if __name__ == "__main__":
    sys.exit(main())
