"""A plain body and a plain stance of `scripts/rendered_people`, changed as a test needs."""

import dataclasses


def shape_of(**changes):
    from rendered_people.bodies import Shape

    plain = Shape("male", 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, (1.0, 0.0, 0.0))
    return dataclasses.replace(plain, **changes)


def still(**changes):
    from rendered_people.poses import Arm, Pose

    hanging = Arm(0, 10, 0)
    pose = Pose((0, 0), (0, 0), (0, 0), 2, (hanging, hanging), 0, 0, 0, 0)
    return dataclasses.replace(pose, **changes)
